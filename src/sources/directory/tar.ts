/** Folders as archives of GNU tar. */
import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Selection } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import { encodeName, isText } from '../../domain/name.ts';
import { errnoOf, RespaldoError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { beginIncrement } from '../increments.ts';
import type { Increments, PortableFile, SourceIo } from '../source.ts';
import { leftOut } from './left-out.ts';
import { TAR_LOCALE, tarOutput, type TarEnd } from './tar-output.ts';

/** Names of any length, times to the nanosecond, and what POSIX permissions cannot say. */
const ARCHIVE = ['--create', '--file=-', '--format=posix', '--sparse', '--acls', '--xattrs', '--xattrs-include=*'];
/** What is left out is named exactly, as it lies below the folder that tar starts from. */
const LEFT_OUT = ['--anchored', '--no-wildcards', '--exclude-from=-'];
/** Keeps in a file what was seen, and leaves out what is unchanged since; when reading, brings back deletions, too. */
const LISTED = '--listed-incremental';
/** Of many files that could not be read, so many are told one by one. */
const TOLD = 100;

/**
 * Each folder or file as one archive, whose members begin with its own name.
 * @param paths absolute ones
 * @param increments absent: each archive holds everything
 */
export async function* portableFolders(
  paths: readonly string[],
  selection: Selection,
  io: SourceIo,
  increments?: Increments,
): AsyncGenerator<PortableFile> {
  const version = await versionOf(io);
  for (const path of paths) {
    const problems = new Problems(path, io.report);
    const increment =
      increments && (await isFolder(path)) ? await beginIncrement(path, selection, increments) : undefined;
    try {
      yield {
        name: posix.basename(path) === '' ? 'root' : posix.basename(path),
        extension: 'tar',
        disposable: true,
        content: archived(path, selection, io, problems, increment?.state),
        about: () => ({
          versions: { tar: version },
          facts: {
            path,
            ...(increment && { level: String(increment.chain.level), because: increment.reason }),
            ...(problems.count > 0 && { incomplete: `${String(problems.count)} could not be read as they are` }),
          },
          restoreCommand: `tar --extract --file=- ${increment ? `${LISTED}=/dev/null ` : ''}--acls --xattrs --xattrs-include='*' --numeric-owner`,
          ...(increment && { chain: increment.chain }),
        }),
        // What could not be read now would never be read again: it does not change.
        ...(increment && { settle: (keys) => (problems.count > 0 ? Promise.resolve() : increment.keep(keys)) }),
      };
    } finally {
      await increment?.discard();
    }
  }
}

/** Of the file system's root nothing is put back before it is emptied: it has no increments. */
async function isFolder(path: string): Promise<boolean> {
  if (path === '/') return false;
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    // Whoever reads it says what is wrong.
    return false;
  }
}

async function versionOf({ runtime, signal }: SourceIo): Promise<string> {
  const said = Buffer.concat(await Array.fromAsync(runtime.run({ argv: ['tar', '--version'] }, signal))).toString();
  if (said.includes('GNU tar')) return said.split('\n', 1)[0] ?? '';
  throw new RespaldoError('tool-missing', `the tar of ${runtime.place} is not GNU tar`, {
    hint: 'Install it (Debian: tar; Alpine: apk add tar).',
  });
}

/** @throws RespaldoError as {@link tarOutput}, `source-missing` */
async function* archived(
  path: string,
  selection: Selection,
  { runtime, signal }: SourceIo,
  problems: Problems,
  state: string | undefined,
): AsyncGenerator<Uint8Array> {
  const [folder, name] = [posix.dirname(path), posix.basename(path) === '' ? '.' : posix.basename(path)];
  if (!isText(path))
    throw new RespaldoError('usage', `${path} cannot be named to tar: its name is not UTF-8`, {
      hint: 'Name the folder above it.',
    });
  await requireThere(path);
  const args = [
    ...ARCHIVE,
    // What was asked for is nothing to be warned of.
    ...(selection.oneFileSystem ? ['--one-file-system', '--warning=no-xdev'] : []),
    ...(state === undefined ? [] : [`${LISTED}=${state}`]),
    ...LEFT_OUT,
    `--directory=${folder}`,
    '--',
    name,
  ];
  problems.tell(yield* tarOutput(args, exclusions(folder, leftOut(path, selection, signal)), runtime, signal));
}

async function requireThere(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    throw new RespaldoError('source-missing', `${path} cannot be archived: ${errnoOf(error) ?? String(error)}`, {
      hint: 'Check the spelling, and whether you may read the folder above.',
      cause: error,
    });
  }
}

/** A line each. A name that holds a line break cannot be told to tar: then it is not left out. */
async function* exclusions(folder: string, paths: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const path of paths) {
    const relative = folder === '/' ? path.slice(1) : path.slice(folder.length + 1);
    if (!relative.includes('\n')) yield Buffer.concat([encodeName(relative), Buffer.from('\n')]);
  }
}

/** What could not be read as it is. */
class Problems {
  readonly #path: string;
  readonly #report: (finding: Finding) => void;
  count = 0;

  constructor(path: string, report: (finding: Finding) => void) {
    this.#path = path;
    this.#report = report;
  }

  tell({ code, said }: TarEnd): void {
    const lines = said.split('\n').flatMap((line) => /^(?:\S*\/)?tar: (.+)$/.exec(line)?.[1] ?? []);
    const about = lines.filter((line) => !/^Exiting with failure|^Removing leading/.test(line));
    for (const line of about.slice(0, TOLD)) this.#tellOne(line);
    // Its last words are kept, not its first ones: something was wrong, whatever it was.
    if (this.count === 0 && code === 2) this.#tellOne(`not everything in ${this.#path} could be read`);
  }

  #tellOne(message: string): void {
    const isNote = /file changed as we read it|File removed before we read it|socket ignored/.test(message);
    if (!isNote) this.count += 1;
    this.#report({
      severity: isNote ? 'note' : 'incomplete',
      code: isNote ? 'file-changed' : 'file-unreadable',
      message,
      subject: this.#path,
    });
  }
}

/**
 * Unpacks an archive into a folder that is there.
 * @param builds whether it may hold only what has changed: then what it says is gone is removed
 * @throws RespaldoError `command-failed`, `tool-missing`
 */
export async function unpackFolder(
  content: AsyncIterable<Uint8Array>,
  folder: string,
  builds: boolean,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const owner = process.getuid?.() === 0 ? ['--same-owner', '--numeric-owner'] : [];
  const argv = [
    'tar',
    '--extract',
    '--file=-',
    ...(builds ? [`${LISTED}=/dev/null`] : []),
    '--preserve-permissions',
    '--acls',
    '--xattrs',
    '--xattrs-include=*',
    ...owner,
    `--directory=${folder}`,
  ] as const;
  for await (const _said of runtime.run({ argv: [...argv], stdin: content, env: TAR_LOCALE }, signal));
}
