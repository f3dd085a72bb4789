import { access, link, mkdtemp, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, RespaldoError } from '../errors.ts';

/**
 * Writes a configuration that only its owner may read: whole, or not at all.
 * @param replace also where there is a file already.
 * @throws RespaldoError `config` where there is one, or it cannot be written.
 */
export async function writeConfig(file: string, text: string, replace: boolean): Promise<void> {
  let folder: string | undefined;
  try {
    // In a folder that nobody else may enter, and on the same file system.
    folder = await mkdtemp(path.join(path.dirname(file), '.respaldo-'));
    const fresh = path.join(folder, 'respaldo.yaml');
    await writeDurably(fresh, text);
    await (replace ? rename(fresh, file) : link(fresh, file));
  } catch (error) {
    throw refusal(error, file);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** @throws RespaldoError `config` where there is a file already, as {@link writeConfig} would. */
export async function requireFree(file: string): Promise<void> {
  try {
    await access(file);
  } catch {
    return;
  }
  throw thereAlready(file);
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}

function refusal(error: unknown, file: string): RespaldoError {
  switch (errnoOf(error)) {
    case 'EEXIST':
      return thereAlready(file, error);
    case 'ENOENT':
      return new RespaldoError('config', `cannot write ${file}: its folder does not exist`, {
        hint: 'Make it, or name another file by --output FILE.',
        cause: error,
      });
    default:
      return new RespaldoError('config', `cannot write ${file}: ${errnoOf(error) ?? String(error)}`, {
        hint: 'Name another file by --output FILE, or print it by --stdout.',
        cause: error,
      });
  }
}

function thereAlready(file: string, cause?: unknown): RespaldoError {
  return new RespaldoError('config', `${file} is there already: it was not changed`, {
    hint: 'Look at what would be written by --stdout, replace the file by --force, or write another one by --output FILE.',
    cause,
  });
}
