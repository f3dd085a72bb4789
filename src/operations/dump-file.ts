import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { compressionOf, foreignContent } from '../archive/index.ts';
import type { CompressionName } from '../domain/archive.ts';
import { errnoOf, RespaldoError } from '../errors.ts';
import type { DumpFile } from '../sources/source.ts';

const MIB = 1024 * 1024;
/** As much of a file as tells how it is compressed. */
const HEAD = 16;

/**
 * A file that another tool wrote, maybe compressed: by which program tell its first bytes, not its name. What cannot be
 * read is left to whoever restores it.
 * @param file an absolute path
 * @throws RespaldoError `usage` for a pipe or device
 */
export async function dumpFile(file: string, signal: AbortSignal): Promise<DumpFile> {
  const { compression, bytes } = await lookAt(file).catch((error: unknown) => {
    if (error instanceof RespaldoError || errnoOf(error) === undefined) throw error;
    return { compression: 'none' as const, bytes: 0 };
  });
  if (compression === 'none') return { file };
  return { file, content: { bytes, read: () => unpacked(file, compression, signal) } };
}

async function lookAt(file: string): Promise<{ readonly compression: CompressionName; readonly bytes: number }> {
  if (!(await canBeReadAgain(file)))
    throw new RespaldoError('usage', `${file} is a pipe or a device, not a file`, {
      hint: 'It is read twice, to be verified before anything is changed: save it to a file, and restore that.',
    });
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
  return { compression: compressionOf(buffer.subarray(0, bytesRead)), bytes: (await handle.stat()).size };
}

/** Of folders, too, whoever restores tells what they are. */
async function canBeReadAgain(file: string): Promise<boolean> {
  const found = await stat(file);
  return found.isFile() || found.isDirectory();
}

async function* unpacked(file: string, name: CompressionName, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stored = createReadStream(file, { highWaterMark: MIB });
  try {
    yield* foreignContent(stored, name, signal);
  } catch (error) {
    const isOfFile = error instanceof RespaldoError ? error.code === 'source-damaged' : errnoOf(error) !== undefined;
    if (!isOfFile) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new RespaldoError('source-damaged', `${file} is damaged or cut short: ${why}`, {
      hint: 'Nothing was restored. Fetch or make the file again.',
      cause: error,
    });
  } finally {
    stored.destroy();
  }
}
