import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { compareWithSent, SentSums } from './sums.ts';

const PARTS = [Buffer.alloc(5000, 'a'), Buffer.alloc(5000, 'b'), Buffer.from('the rest')];
const WHOLE = Buffer.concat(PARTS);
const digest = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest();
const number = (value: number) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
const joined = (name: string) => digest(name, Buffer.concat(PARTS.map((part) => digest(name, part))));

function sent(asked: ConstructorParameters<typeof SentSums>[0], parts: readonly Uint8Array[] = PARTS) {
  const sums = new SentSums(asked);
  for (const part of parts) sums.add(part);
  return sums.end(parts.length > 1);
}

describe('what a server tells of an object', () => {
  const ContentLength = WHOLE.length;
  const MD5 = `"${joined('md5').toString('hex')}-3"`;

  it('is compared by the MD5 in its ETag, of one request or of several parts', () => {
    const ETag = `"${digest('md5', WHOLE).toString('hex')}"`;
    expect(compareWithSent({ ContentLength, ETag }, sent({}, [WHOLE]))).toEqual({ by: 'MD5', isSame: true });
    expect(compareWithSent({ ContentLength, ETag: MD5 }, sent({}))).toEqual({ by: 'MD5', isSame: true });
    const other = MD5.replace('-3', '-4');
    expect(compareWithSent({ ContentLength, ETag: other }, sent({}))).toEqual({ by: 'MD5', isSame: false });
    expect(compareWithSent({ ContentLength: 1, ETag: MD5 }, sent({}))).toEqual({ by: 'MD5', isSame: false });
  });

  it('is no MD5 where keys of others encrypt, nor where the server makes up its ETags', () => {
    const ETag = MD5;
    expect(compareWithSent({ ContentLength, ETag, ServerSideEncryption: 'aws:kms' }, sent({}))).toBeUndefined();
    expect(compareWithSent({ ContentLength, ETag, SSECustomerAlgorithm: 'AES256' }, sent({}))).toBeUndefined();
    expect(compareWithSent({ ContentLength, ETag }, sent({ encryption: 'aws:kms' }))).toBeUndefined();
    expect(compareWithSent({ ContentLength, ETag: '"00000001-9f"' }, sent({}))).toBeUndefined();
    expect(compareWithSent({ ContentLength, ETag, ServerSideEncryption: 'AES256' }, sent({}))).toMatchObject({
      isSame: true,
    });
  });

  it('is compared by the checksum that was asked for, before all others', () => {
    const ChecksumSHA256 = joined('sha256').toString('base64');
    for (const told of [ChecksumSHA256, `${ChecksumSHA256}-3`])
      expect(
        compareWithSent({ ContentLength, ETag: '"0"', ChecksumSHA256: told }, sent({ checksum: 'SHA256' })),
      ).toEqual({ by: 'SHA256', isSame: true });
    const wrong = { ContentLength, ETag: MD5, ChecksumSHA256: digest('sha256', WHOLE).toString('base64') };
    expect(compareWithSent(wrong, sent({ checksum: 'SHA256' }))).toEqual({ by: 'SHA256', isSame: false });
    const ChecksumSHA1 = digest('sha1', WHOLE).toString('base64');
    expect(compareWithSent({ ContentLength, ChecksumSHA1 }, sent({ checksum: 'SHA1' }, [WHOLE]))).toEqual({
      by: 'SHA1',
      isSame: true,
    });
  });

  it('may be a CRC32 of the whole object, or of those of its parts', () => {
    const ofParts = number(crc32(Buffer.concat(PARTS.map((part) => number(crc32(part))))));
    for (const told of [number(crc32(WHOLE)).toString('base64'), `${ofParts.toString('base64')}-3`])
      expect(compareWithSent({ ContentLength, ChecksumCRC32: told }, sent({ checksum: 'CRC32' }))).toEqual({
        by: 'CRC32',
        isSame: true,
      });
  });

  it('is compared by the MD5 where the server keeps no checksum of the kind', () => {
    for (const checksum of ['SHA256', 'CRC32C'] as const)
      expect(compareWithSent({ ContentLength, ETag: MD5 }, sent({ checksum }))).toEqual({ by: 'MD5', isSame: true });
  });

  it('is nothing that could be compared where it tells nothing', () => {
    expect(compareWithSent({}, sent({}))).toBeUndefined();
  });
});
