/** Sums of an object that was sent, beside those that its server keeps: nothing has to be read back then. */
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

import type { S3Keeping } from './address.ts';
import type { SumComparison, SumName } from '../store.ts';

/** What a server says of an object. */
type Told = Pick<
  HeadObjectCommandOutput,
  | 'ContentLength'
  | 'ETag'
  | 'ServerSideEncryption'
  | 'SSECustomerAlgorithm'
  | 'ChecksumCRC32'
  | 'ChecksumSHA1'
  | 'ChecksumSHA256'
>;

/** An object as it was sent. */
export interface SentObject {
  readonly size: number;
  /** Undefined: in one request, not in parts. */
  readonly parts?: number;
  /** Of the object, or of the sums of its parts; CRC32 of both. In bytes, as servers write them. */
  readonly sums: ReadonlyMap<SumName, readonly Buffer[]>;
}

const DIGESTS: Readonly<Record<SumName, (bytes: Uint8Array) => Buffer>> = {
  MD5: (bytes) => hash('md5', bytes, 'buffer'),
  SHA1: (bytes) => hash('sha1', bytes, 'buffer'),
  SHA256: (bytes) => hash('sha256', bytes, 'buffer'),
  CRC32: (bytes) => bytesOf(crc32(bytes)),
};

/** Gathers the sums of an object while it is sent. */
export class SentSums {
  readonly #names: readonly SumName[];
  readonly #digests = new Map<SumName, Buffer[]>();
  #crc32 = 0;
  #size = 0;

  /** A server that encrypts by keys of a key service gives no MD5. CRC32C is left to it: nothing here makes one quickly. */
  constructor({ checksum, encryption }: Pick<S3Keeping, 'checksum' | 'encryption'>) {
    this.#names = [
      ...(checksum === undefined || checksum === 'CRC32C' ? [] : [checksum]),
      ...(encryption === 'aws:kms' ? [] : (['MD5'] as const)),
    ];
  }

  /** Told of each part, or of the only one, in their order. */
  add(part: Uint8Array): void {
    this.#size += part.length;
    for (const name of this.#names) {
      const digests = this.#digests.get(name) ?? [];
      digests.push(DIGESTS[name](part));
      this.#digests.set(name, digests);
      if (name === 'CRC32') this.#crc32 = crc32(part, this.#crc32);
    }
  }

  end(isInParts: boolean): SentObject {
    const parts = this.#digests.values().next().value?.length ?? 0;
    const sums = [...this.#digests].map(([name, digests]): [SumName, Buffer[]] => {
      const whole = name === 'CRC32' ? [bytesOf(this.#crc32)] : [];
      return [name, isInParts ? [DIGESTS[name](Buffer.concat(digests)), ...whole] : digests];
    });
    return { size: this.#size, ...(isInParts && { parts }), sums: new Map(sums) };
  }
}

/** @returns undefined where the server tells no sum that was made here, too */
export function compareWithSent(told: Told, sent: SentObject): SumComparison | undefined {
  const [first] = sumsOf(told).filter(({ name }) => sent.sums.has(name));
  if (first === undefined) return undefined;
  const { name, digest, parts } = first;
  const isInAsMany = parts === undefined || parts === sent.parts;
  const isSame = isInAsMany && sent.sums.get(name)?.some((one) => one.equals(digest)) === true;
  return { by: name, isSame: isSame && told.ContentLength === sent.size };
}

interface ToldSum {
  readonly name: SumName;
  readonly digest: Buffer;
  readonly parts: number | undefined;
}

/** The strongest first. What is encrypted by keys that the server does not keep has another ETag than an MD5. */
function sumsOf(told: Told): readonly ToldSum[] {
  const { ETag, ServerSideEncryption: encryption, SSECustomerAlgorithm: ownKey } = told;
  const hasMd5 = (encryption === undefined || encryption === 'AES256') && ownKey === undefined;
  return [
    ...checksum('SHA256', told.ChecksumSHA256),
    ...checksum('SHA1', told.ChecksumSHA1),
    ...checksum('CRC32', told.ChecksumCRC32),
    ...parsed('MD5', hasMd5 ? ETag : undefined, /^"?([0-9a-f]{32})(?:-(\d+))?"?$/i, 'hex'),
  ];
}

function checksum(name: SumName, told: string | undefined): readonly ToldSum[] {
  return parsed(name, told, /^([\w+/]+=*)(?:-(\d+))?$/, 'base64');
}

function parsed(name: SumName, told: string | undefined, form: RegExp, encoding: 'hex' | 'base64'): readonly ToldSum[] {
  const [, digits, parts] = form.exec(told ?? '') ?? [];
  if (digits === undefined) return [];
  return [{ name, digest: Buffer.from(digits, encoding), parts: parts === undefined ? undefined : Number(parts) }];
}

function bytesOf(sum: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes;
}
