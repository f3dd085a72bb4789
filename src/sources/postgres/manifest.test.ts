import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { differences, parseManifest, type SeenFile } from './manifest.ts';

const SEGMENT = 16 * 1024 * 1024;
const WAL = '"WAL-Ranges": [\n{ "Timeline": 2, "Start-LSN": "0/5000028", "End-LSN": "0/7000000" }\n],\n';
const FILES = `{ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
{ "Path": "base/1/1259", "Size": 5, "Last-Modified": "2026-01-01 00:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "${hash('pages')}" },
{ "Encoded-Path": "62617365ff", "Size": 0, "Last-Modified": "2026-01-01 00:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "${hash('')}" }
],
`;
const whole = sealed(FILES + WAL);

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function sealed(text: string): Buffer {
  return Buffer.from(`${text}"Manifest-Checksum": "${hash(text)}"}\n`);
}

/** What passes when everything is in order. */
function seen(): Map<string, SeenFile> {
  return new Map([
    ['base/1/1259', { size: 5, sha256: hash('pages') }],
    ['base\udcff', { size: 0, sha256: hash('') }],
    ['pg_wal/000000020000000000000005', { size: SEGMENT, sha256: '' }],
    ['pg_wal/000000020000000000000006', { size: SEGMENT, sha256: '' }],
    ['pg_wal/archive_status/000000020000000000000005.done', { size: 0, sha256: hash('') }],
  ]);
}

describe('a manifest', () => {
  it('agrees with a whole backup', () => {
    expect(differences(parseManifest(whole), seen(), SEGMENT)).toEqual([]);
  });

  it.each<[string, (files: Map<string, SeenFile>) => void]>([
    ['base/1/1259 is missing', (files) => files.delete('base/1/1259')],
    ['base/1/1259 has 4 bytes instead of 5', (files) => files.set('base/1/1259', { size: 4, sha256: hash('page') })],
    ['base/1/1259 has other content', (files) => files.set('base/1/1259', { size: 5, sha256: hash('Pages') })],
    ['base/1/1 is not in the manifest', (files) => files.set('base/1/1', { size: 0, sha256: hash('') })],
    ['WAL segment 000000020000000000000006 is missing', (files) => files.delete('pg_wal/000000020000000000000006')],
    [
      '000000020000000000000005 is missing or short',
      (files) => files.set('pg_wal/000000020000000000000005', { size: 1, sha256: '' }),
    ],
  ])('tells that %s', (message, change) => {
    const files = seen();
    change(files);
    expect(differences(parseManifest(whole), files, SEGMENT)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['is cut short', whole.subarray(0, whole.length - 20)],
    ['is empty', Buffer.alloc(0)],
    ['was changed', Buffer.from(whole.toString().replace('"Size": 5', '"Size": 6'))],
    ['has another kind of checksum', sealed((FILES + WAL).replaceAll('SHA256', 'CRC32C'))],
    ['is of an unknown version', sealed((FILES + WAL).replace('Version": 1', 'Version": 9'))],
  ])('is refused if it %s', (_, bytes) => {
    expect(() => parseManifest(bytes)).toThrow('manifest is unusable');
  });
});
