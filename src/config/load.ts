import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, RespaldoError } from '../errors.ts';
import type { Config } from './config.ts';
import { MAX_CONFIG_SIZE } from './largest.ts';
import type { Parsed } from './parse.ts';
import { formatProblem, type Problem } from './problem.ts';

const CONFIG_NAME = 'respaldo.yaml';

export interface ConfigQuestion {
  /** `--config`: used whoever owns it. Absent: `respaldo.yaml` is looked for upwards from `workingDirectory`. */
  readonly file?: string;
  /** An absolute path. */
  readonly workingDirectory: string;
  /**
   * Given what the file says before it is checked, undefined where there is none or nobody can tell: who knows enough by
   * that begins with what takes long.
   */
  readonly onContent?: (content: unknown) => Promise<void>;
}

/**
 * The configuration, or undefined where nobody wrote one.
 * @throws RespaldoError `config` with every problem and its place, or what makes the file unsafe to use.
 */
export async function loadConfig(question: ConfigQuestion): Promise<Config | undefined> {
  const read = await inspectConfig(question);
  if (!read) return undefined;
  if (read.config) return read.config;
  throw new RespaldoError('config', describeProblems(read.problems, shownPath(read.file, question)), {
    hint: 'All keys: docs/guides/configuration.md, or respaldo config schema.',
  });
}

/** The same, with what is wrong as data. @throws RespaldoError `config` where the file cannot be used at all. */
export async function inspectConfig(
  question: ConfigQuestion,
): Promise<({ readonly file: string } & Parsed) | undefined> {
  const file =
    question.file === undefined
      ? await findUpwards(question.workingDirectory)
      : path.resolve(question.workingDirectory, question.file);
  if (file === undefined) {
    await question.onContent?.(undefined);
    return undefined;
  }
  const text = await readConfig(file, question.file !== undefined);
  // Loaded only where there is something to parse.
  const read = (await import('./document.ts')).readDocument(text);
  await question.onContent?.(read.content);
  const [{ checkedConfig }, { addressChecks }] = await Promise.all([import('./parse.ts'), import('./addresses.ts')]);
  return { file, ...(await checkedConfig(read, file, addressChecks(path.dirname(file)))) };
}

/** The file as a person in `workingDirectory` would write it. */
export function shownPath(file: string, { workingDirectory }: ConfigQuestion): string {
  const relative = path.relative(workingDirectory, file);
  return relative.length < file.length ? relative : file;
}

const MAX_SHOWN = 50;

function describeProblems(problems: readonly Problem[], file: string): string {
  const shown = problems.slice(0, MAX_SHOWN).map((problem) => formatProblem(file, problem));
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}

async function findUpwards(folder: string): Promise<string | undefined> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const file = path.join(at, CONFIG_NAME);
    if (await exists(file)) return file;
    if (at === path.dirname(at)) return undefined;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw unusable(file, error);
  }
}

/**
 * The text of a file. Looks at what was opened, not at what its name may mean a moment later.
 * @param trusted whoever owns it
 * @throws RespaldoError `config` for what is no file, too large, or no UTF-8
 */
export async function readConfig(file: string, trusted: boolean): Promise<string> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile()) throw new RespaldoError('config', `${file} is not a file`);
    if (!trusted) requireSafe(file, found);
    if (found.size > MAX_CONFIG_SIZE)
      throw new RespaldoError('config', `${file} is larger than a configuration can be (${MAX_CONFIG_SIZE} bytes)`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
  } catch (error) {
    throw unusable(file, error);
  }
}

/**
 * A configuration names commands to run and passwords to use: one that somebody else could have written is not read.
 */
function requireSafe(file: string, { uid, mode }: { readonly uid: number; readonly mode: number }): void {
  const me = process.getuid?.() ?? 0;
  if (uid !== me && uid !== 0) {
    throw new RespaldoError('config', `${file} belongs to another user (uid ${uid}) and is not used`, {
      hint: `If you trust it: chown ${me} ${quoted(file)}, or name it by --config ${quoted(file)}.`,
    });
  }
  if ((mode & 0o022) !== 0) {
    throw new RespaldoError('config', `${file} can be changed by other users and is not used`, {
      hint: `chmod go-w ${quoted(file)}, or name it by --config ${quoted(file)}.`,
    });
  }
}

function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
}

function unusable(file: string, error: unknown): RespaldoError {
  if (error instanceof RespaldoError) return error;
  const code = errnoOf(error);
  const reason =
    code === 'ENOENT'
      ? 'there is no such file'
      : code === 'EACCES'
        ? 'permission denied'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'it is not UTF-8 text'
          : error instanceof Error
            ? error.message
            : String(error);
  return new RespaldoError('config', `cannot read ${file}: ${reason}`, { cause: error });
}
