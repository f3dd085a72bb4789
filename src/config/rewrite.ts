import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, RespaldoError } from '../errors.ts';
import { addressChecks } from './addresses.ts';
import type { Config } from './config.ts';
import { parseConfig } from './parse.ts';
import { formatProblem } from './problem.ts';

/** The configuration before and after a change. */
export interface Rewritten {
  readonly before: string;
  readonly after: string;
  /** What the new text says. */
  readonly config: Config;
}

/**
 * Changes the text of a configuration. The new text must be valid; it then takes the old one's place in one step, with
 * its owner and mode, and a link keeps pointing to it.
 * @param file absolute
 * @param write false: only see what would come of it.
 * @throws RespaldoError `config` where the result would not be valid, or the file cannot be written or was changed
 *   meanwhile; it is then as it was.
 */
export async function rewriteConfig(
  file: string,
  change: (text: string) => string,
  write: boolean,
): Promise<Rewritten> {
  const target = await realpath(file);
  const before = await readFile(target, 'utf8');
  const after = change(before);
  const parsed = await parseConfig(after, file, addressChecks(path.dirname(file)));
  if (parsed.config === undefined) {
    const problems = parsed.problems.map((problem) => formatProblem(file, problem));
    throw new RespaldoError('config', `${file} was not changed: it would not be valid\n${problems.join('\n')}`, {
      hint: 'Mend it by hand: docs/guides/configuration.md explains the keys.',
    });
  }
  if (write && after !== before) await replace(target, before, after);
  return { before, after, config: parsed.config };
}

async function replace(target: string, before: string, after: string): Promise<void> {
  const fresh = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    await writeLike(target, fresh, after);
    if ((await readFile(target, 'utf8')) !== before)
      throw new RespaldoError('config', `${target} was changed by somebody else meanwhile`, { hint: 'Try again.' });
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { force: true });
    if (error instanceof RespaldoError) throw error;
    throw new RespaldoError('config', `cannot write ${target}: ${errnoOf(error) ?? String(error)}`, {
      hint: 'It is as it was.',
      cause: error,
    });
  }
}

/** A file of the same owner and mode, durable. */
async function writeLike(target: string, file: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(target);
  await using handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
  await handle.chmod(mode & 0o7777);
  await handle.writeFile(text);
  await handle.sync();
}
