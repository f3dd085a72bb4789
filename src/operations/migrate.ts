import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RespaldoError, toRespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * Changes a repository's format. A copy of its config lies in a folder for temporary files meanwhile, and stays there if
 * anything goes wrong: without a config nobody can read a repository.
 * @throws RespaldoError as {@link Repository.migrate}; one that names the copy where there is one
 */
export async function migrate(
  name: string,
  { repository }: { readonly repository: Pick<Repository, 'migrate'> },
  signal: AbortSignal,
): Promise<void> {
  let copy: string | undefined;
  const keepCopy = async (config: Uint8Array): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'respaldo-migrate-'));
    await writeDurably(join(folder, 'config'), config);
    copy = folder;
  };
  try {
    await repository.migrate(name, { keepCopy }, signal);
  } catch (error) {
    throw copy === undefined ? error : withCopy(toRespaldoError(error), join(copy, 'config'));
  }
  if (copy !== undefined) await rm(copy, { recursive: true, force: true });
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(bytes);
  await file.sync();
}

function withCopy(error: RespaldoError, path: string): RespaldoError {
  return new RespaldoError(error.code, error.message, {
    hint: `If the repository cannot be opened any more: its config as it was is in ${path}`,
    context: error.context,
    cause: error,
  });
}
