import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, RespaldoError } from '../errors.ts';

/**
 * Keeps copies of packs as files `pack-ID` in a folder, durable when the promise resolves. A copy that is there already
 * may stay; another file of the name is never overwritten.
 * @param folder that exists
 * @throws RespaldoError `target-not-empty`, `target-full`, `target-refused`
 */
export function copiesIn(folder: string): (id: string, bytes: Uint8Array) => Promise<void> {
  return async (id, bytes) => {
    const path = join(folder, `pack-${id}`);
    try {
      await writeNew(path, bytes);
      await synchronize(folder);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST' && (await readFile(path)).equals(bytes)) return;
      throw refusal(path, error);
    }
  };
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(bytes);
  await file.sync();
}

async function synchronize(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function refusal(path: string, cause: unknown): RespaldoError {
  const code = errnoOf(cause);
  if (code === 'EEXIST')
    return new RespaldoError('target-not-empty', `${path} is there already, and is not a copy of that pack`, {
      hint: 'Move it away, perhaps it is half a copy, or run this in another folder. The pack is where it was.',
      cause,
    });
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RespaldoError(full ? 'target-full' : 'target-refused', `cannot keep a copy of a pack: ${why}`, {
    hint: 'Run this in a folder with room, where you may write. The pack is where it was.',
    cause,
  });
}
