import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, RespaldoError } from '../../errors.ts';
import type { DumpContent, DumpFile } from '../source.ts';

/** A file that another tool wrote, as far as it was looked at. */
export interface OpenedFile {
  readonly head: Buffer;
  readonly bytes: number;
}

/** How much of a file's beginning is looked at. */
const HEAD = 512;

/** @throws RespaldoError `source-missing`, `usage` for a folder */
export function openDumpFile({ file: path, content }: DumpFile): Promise<OpenedFile> {
  return content === undefined ? headOf(path) : headIn(content);
}

/** What the file holds. */
export async function* readDumpFile({ file: path, content }: DumpFile): AsyncGenerator<Uint8Array> {
  // Whoever stored or compressed it knows best what is wrong with it.
  if (content !== undefined) {
    yield* content.read();
    return;
  }
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  try {
    for await (const piece of file) yield piece as Uint8Array;
  } catch (error) {
    throw new RespaldoError('source-damaged', `cannot read ${path} to its end: ${errnoOf(error) ?? String(error)}`, {
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

async function headIn(content: DumpContent): Promise<OpenedFile> {
  let head: Buffer = Buffer.alloc(0);
  for await (const piece of content.read()) {
    head = Buffer.concat([head, piece.subarray(0, HEAD)]);
    if (head.length >= HEAD) break;
  }
  return { head: head.subarray(0, HEAD), bytes: content.bytes };
}

async function headOf(path: string): Promise<OpenedFile> {
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
        hint: 'Name the file of a dump. `pg_restore --file=dump.sql FOLDER` makes one of what pg_dump -Fd wrote; what Respaldo wrote is restored from its snapshot.',
        cause: error,
      });
    throw new RespaldoError('source-missing', `cannot read ${path}: ${errnoOf(error) ?? String(error)}`, {
      hint: 'Check the name, and whether you may read the file.',
      cause: error,
    });
  }
}
