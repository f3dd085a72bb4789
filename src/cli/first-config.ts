import path from 'node:path';
import { addressChecks } from '../config/addresses.ts';
import { parseConfig } from '../config/parse.ts';
import { formatProblem } from '../config/problem.ts';
import { chooseRepository } from '../config/repository.ts';
import { starterConfig, type Starter } from '../config/starter.ts';
import { backupCandidates, type DetectionScope } from '../domain/detection.ts';
import { isError, RespaldoError } from '../errors.ts';
import type { Globals, Invocation } from './invocation.ts';
import { lookAround } from './look-around.ts';
import { repositoryFlags } from './session.ts';
import { unseenLine } from './views/detection.ts';

/**
 * A first configuration with what is found here.
 * @param file where it is going to lie: an absolute path.
 * @param scope where to look.
 * @returns its text, and how many plans it has.
 * @throws RespaldoError `config` where an address of the repository that was given is none, and what detection throws.
 */
export async function firstConfig(
  file: string,
  scope: DetectionScope,
  invocation: Invocation,
): Promise<{ readonly text: string; readonly found: number }> {
  const { globals, output } = invocation;
  const { servers, unseen } = await lookAround(scope, invocation);
  for (const place of unseen) output.detail(unseenLine(place));
  const text = starterConfig({ ...repositoryOf(globals), servers });
  const { config, problems } = await parseConfig(text, file, addressChecks(path.dirname(file)));
  if (config !== undefined) return { text, found: backupCandidates(servers).length };
  throw new RespaldoError('config', problems.map((problem) => formatProblem('respaldo.yaml', problem)).join('\n'), {
    hint: 'Name another repository by --repo.',
  });
}

/** The one that is meant here and now; where nobody says, a folder beside the file. */
function repositoryOf(globals: Globals): Omit<Starter, 'servers'> {
  const usual = { url: './backups', password: { env: 'RESPALDO_PASSWORD' } };
  try {
    const flags = repositoryFlags(globals);
    const { location, password } = chooseRepository({ flags, env: process.env, workingDirectory: process.cwd() });
    const url = 'url' in location ? fromAnywhere(location.url) : usual.url;
    return { url, password: password ?? usual.password };
  } catch (error) {
    if (isError(error, 'config')) return usual;
    throw error;
  }
}

/** The file may lie elsewhere: a folder that is relative to where we are would mean another one there. */
function fromAnywhere(url: string): string {
  const isFolder = !url.includes(':') || /^(?:\.{0,2}|~)\//.test(url);
  return isFolder && !url.startsWith('~/') ? path.resolve(url) : url;
}
