import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, RespaldoError } from '../../errors.ts';

/**
 * Writes each secret into its file, which only its owner may read, as may its folder be entered by nobody else.
 * @param folder the configuration's: an absolute path
 * @param replace also where a file holds something else
 * @throws RespaldoError `config` where one does, or cannot be written
 */
export async function writeSecrets(
  folder: string,
  secrets: ReadonlyMap<string, string>,
  replace: boolean,
): Promise<void> {
  for (const [name, secret] of secrets) {
    const file = path.join(folder, name);
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      if (!replace && (await isThere(file, secret))) continue;
      await using handle = await open(file, replace ? 'w' : 'wx', 0o600);
      await handle.chmod(0o600);
      await handle.writeFile(`${secret}\n`);
      await handle.sync();
    } catch (error) {
      throw refusal(error, file);
    }
  }
}

async function isThere(file: string, secret: string): Promise<boolean> {
  try {
    return (await readFile(file, 'utf8')) === `${secret}\n`;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function refusal(error: unknown, file: string): RespaldoError {
  if (errnoOf(error) === 'EEXIST')
    return new RespaldoError('config', `${file} is there already, and holds another secret: it was not changed`, {
      hint: 'Replace it by --force, or write the configuration elsewhere by --output FILE.',
      cause: error,
    });
  return new RespaldoError('config', `cannot write ${file}: ${errnoOf(error) ?? String(error)}`, {
    hint: 'Name another place by --output FILE.',
    cause: error,
  });
}
