import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';
import { errnoOf, RespaldoError } from '../errors.ts';

/**
 * Writes pieces into a file, which appears whole or not at all: until then they lie beside it. What is no regular file
 * (a device, a pipe) is written into.
 * @throws RespaldoError `target-full`, `target-refused`, and what `pieces` throws
 */
export async function writeTarget(target: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const direct = await isSpecial(target);
  const path = direct ? target : join(dirname(target), `.${basename(target)}.respaldo-${process.pid}`);
  try {
    await writeAll(path, direct, pieces);
    if (!direct) await rename(path, target);
  } catch (error) {
    if (!direct) await rm(path, { force: true });
    throw error instanceof RespaldoError || errnoOf(error) === undefined ? error : refusal(target, error);
  }
}

async function writeAll(path: string, direct: boolean, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await open(path, direct ? 'r+' : 'w', 0o600);
  for await (const piece of pieces)
    for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten;
  if (!direct) await file.sync();
}

async function isSpecial(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory())
      throw new RespaldoError('usage', `${path} is a folder`, { hint: 'Name the file that is to be written.' });
    return !stats.isFile();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error instanceof RespaldoError ? error : refusal(path, error);
  }
}

function refusal(path: string, cause: unknown): RespaldoError {
  const full = errnoOf(cause) === 'ENOSPC' || errnoOf(cause) === 'EDQUOT';
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RespaldoError(full ? 'target-full' : 'target-refused', `cannot write ${path}: ${why}`, { cause });
}
