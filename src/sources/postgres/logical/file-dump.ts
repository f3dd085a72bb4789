import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream';
import { errnoOf, RespaldoError } from '../../../errors.ts';

/** What other tools write: SQL, or pg_dump's custom and tar formats, for pg_restore; maybe compressed by gzip. */
export interface FileDump {
  readonly form: 'sql' | 'archive';
  readonly isCompressed: boolean;
  /** Of the file. */
  readonly bytes: number;
}

const GZIP = Buffer.from([0x1f, 0x8b]);
const CUSTOM = Buffer.from('PGDMP');
/** Where a tar says that it is one. */
const TAR = { at: 257, is: Buffer.from('ustar') };
const HEAD = 512;

/** Looks at a file's beginning. @throws RespaldoError `source-missing`, `usage` */
export async function inspectFile(path: string): Promise<FileDump> {
  const { head, bytes } = await headOf(path);
  const isCompressed = head.subarray(0, 2).equals(GZIP);
  const start = isCompressed ? await unpackedHead(path) : head;
  const isArchive =
    start.subarray(0, CUSTOM.length).equals(CUSTOM) || start.subarray(TAR.at, TAR.at + TAR.is.length).equals(TAR.is);
  if (!isArchive && start.subarray(0, HEAD).includes(0))
    throw new RespaldoError('usage', `${path} is neither SQL nor an archive of pg_dump`, {
      hint: 'What can be restored: .sql, .sql.gz, and what pg_dump -Fc or -Ft writes.',
    });
  return { form: isArchive ? 'archive' : 'sql', isCompressed, bytes };
}

/** What the file holds, unpacked. @throws RespaldoError `source-damaged` for a compressed one that is cut short */
export async function* readFileDump(path: string, { isCompressed }: FileDump): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const content = isCompressed ? pipeline(file, createGunzip(), () => undefined) : file;
  try {
    for await (const piece of content) yield piece as Uint8Array;
  } catch (error) {
    throw new RespaldoError('source-damaged', `${path} is damaged or cut short: ${errnoOf(error) ?? String(error)}`, {
      hint: 'Nothing was restored. Fetch or make the file again.',
      cause: error,
    });
  } finally {
    file.destroy();
  }
}

async function headOf(path: string): Promise<{ head: Buffer; bytes: number }> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
      return { head: buffer.subarray(0, bytesRead), bytes: (await file.stat()).size };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new RespaldoError('source-missing', `cannot read ${path}: ${errnoOf(error) ?? String(error)}`, {
      hint: 'Check the name, and whether you may read the file.',
      cause: error,
    });
  }
}

async function unpackedHead(path: string): Promise<Buffer> {
  for await (const piece of readFileDump(path, { form: 'sql', isCompressed: true, bytes: 0 }))
    return Buffer.from(piece);
  return Buffer.alloc(0);
}
