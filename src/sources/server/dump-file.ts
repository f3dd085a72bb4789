import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errnoOf, RespaldoError } from '../../errors.ts';
import type { DumpContent, DumpFile } from '../source.ts';

/** What is seen of a file that another tool wrote; maybe it is compressed by gzip. */
export interface InspectedFile {
  readonly isCompressed: boolean;
  /** Of the file. */
  readonly bytes: number;
}

const GZIP = Buffer.from([0x1f, 0x8b]);
/** How much of a file's beginning is looked at. */
export const HEAD = 512;

/** A file and its beginning, as it lies there. @throws RespaldoError `source-missing` */
export async function openDumpFile({
  file: path,
  content,
}: DumpFile): Promise<{ readonly file: InspectedFile; readonly head: Buffer }> {
  const { head, bytes } = content === undefined ? await headOf(path) : await headIn(content);
  return { file: { isCompressed: head.subarray(0, 2).equals(GZIP), bytes }, head };
}

/** What the file holds, unpacked. @throws RespaldoError `source-damaged` for a compressed one that is cut short */
export async function* readDumpFile(
  { file: path, content: elsewhere }: DumpFile,
  { isCompressed }: Pick<InspectedFile, 'isCompressed'>,
): AsyncGenerator<Uint8Array> {
  // Whoever stored it knows best what is wrong with it.
  if (elsewhere !== undefined && !isCompressed) {
    yield* elsewhere.read();
    return;
  }
  const file =
    elsewhere === undefined
      ? createReadStream(path, { highWaterMark: 1024 * 1024 })
      : Readable.from(elsewhere.read(), { objectMode: false });
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

/**
 * What holds no statement restores nothing, and would put an empty database where a full one is: a disk that was full
 * while something was dumped leaves such files.
 * @throws RespaldoError `source-damaged`
 */
export function requireStatements({ hasStatements }: { readonly hasStatements: boolean }, path: string): void {
  if (hasStatements) return;
  throw new RespaldoError('source-damaged', `${path} is empty: there is no SQL in it`, {
    hint: 'Nothing was restored. Fetch or make the file again.',
  });
}

async function headIn(content: DumpContent): Promise<{ head: Buffer; bytes: number }> {
  let head: Buffer = Buffer.alloc(0);
  for await (const piece of content.read()) {
    head = Buffer.concat([head, piece.subarray(0, HEAD)]);
    if (head.length >= HEAD) break;
  }
  return { head: head.subarray(0, HEAD), bytes: content.bytes };
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
    if (errnoOf(error) === 'EISDIR')
      throw new RespaldoError('usage', `${path} is a folder`, {
        hint: 'Name the file of a dump. What pg_dump -Fd writes is for pg_restore; what Respaldo wrote is restored from its snapshot.',
        cause: error,
      });
    throw new RespaldoError('source-missing', `cannot read ${path}: ${errnoOf(error) ?? String(error)}`, {
      hint: 'Check the name, and whether you may read the file.',
      cause: error,
    });
  }
}
