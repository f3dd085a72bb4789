/** What a plan's selection leaves out of a folder, found by looking: for programs with other ideas of patterns. */
import type { Dirent } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import { posix } from 'node:path';
import type { FolderMark, Selection } from '../../domain/entry.ts';
import { decodeName, encodeName, isText } from '../../domain/name.ts';
import { compilePatterns } from '../../domain/pattern.ts';
import { throwIfAborted } from '../../errors.ts';

/** By the Cache Directory Tagging Specification. */
const CACHE: FolderMark = { name: 'CACHEDIR.TAG', header: 'Signature: 8a477f597d28d172789f06886806bc55' };

/** Whether anything can be left out at all; what lies on other file systems is not spoken of here. */
function leavesOut({
  exclude,
  iexclude = [],
  excludeCaches,
  excludeIfPresent = [],
  excludeLargerThan,
}: Selection): boolean {
  const rules = exclude.length + iexclude.length + excludeIfPresent.length;
  return rules > 0 || excludeCaches || excludeLargerThan !== undefined;
}

/**
 * The topmost entries that are left out, as absolute paths, with restic's meaning of the rules. A folder that cannot be
 * read has none: who stores it will say so.
 * @param folder an absolute path
 */
export async function* leftOut(folder: string, selection: Selection, signal: AbortSignal): AsyncGenerator<string> {
  if (leavesOut(selection)) yield* below(folder, new Rules(selection), signal);
}

async function* below(folder: string, rules: Rules, signal: AbortSignal): AsyncGenerator<string> {
  throwIfAborted(signal);
  const entries = await entriesOf(folder);
  const kept = new Set(
    await rules.namesToKeep(
      folder,
      entries.map(({ name }) => name),
    ),
  );
  for (const { name, entry } of entries) {
    const path = posix.join(folder, name);
    if (!kept.has(name) || rules.excludes(path) || (await rules.isTooLarge(path, entry))) yield path;
    else if (entry.isDirectory()) yield* below(path, rules, signal);
  }
}

async function entriesOf(folder: string): Promise<{ readonly name: string; readonly entry: Dirent<Buffer> }[]> {
  const entries: { name: string; entry: Dirent<Buffer> }[] = [];
  try {
    // Names are bytes, which the types of opendir do not know of.
    const opened = await opendir(fsPath(folder), { encoding: 'buffer' as BufferEncoding });
    for await (const entry of opened as unknown as AsyncIterable<Dirent<Buffer>>)
      entries.push({ name: decodeName(entry.name), entry });
  } catch {
    return entries;
  }
  return entries;
}

class Rules {
  readonly #excludes;
  readonly #marks: readonly FolderMark[];
  readonly #most: number;

  constructor({
    exclude,
    iexclude = [],
    excludeCaches,
    excludeIfPresent = [],
    excludeLargerThan = Infinity,
  }: Selection) {
    this.#excludes = [compilePatterns(exclude), compilePatterns(iexclude, { ignoreCase: true })];
    this.#marks = [...(excludeCaches ? [CACHE] : []), ...excludeIfPresent];
    this.#most = excludeLargerThan;
  }

  excludes(path: string): boolean {
    return this.#excludes.some((patterns) => patterns.matches(path).match);
  }

  async isTooLarge(path: string, entry: Dirent<Buffer>): Promise<boolean> {
    if (this.#most === Infinity || entry.isDirectory()) return false;
    try {
      return (await lstat(fsPath(path))).size > this.#most;
    } catch {
      return false;
    }
  }

  /** Of a marked folder only the mark itself is kept; of one with several marks nothing. */
  async namesToKeep(folder: string, names: readonly string[]): Promise<readonly string[]> {
    const found: FolderMark[] = [];
    for (const mark of this.#marks)
      if (names.includes(mark.name) && (await hasHeader(posix.join(folder, mark.name), mark))) found.push(mark);
    return found.length === 0 ? names : names.filter((name) => found.every((mark) => mark.name === name));
  }
}

/** Of a mark that cannot be read we do not know that it is one: then nothing is left out. */
async function hasHeader(path: string, { header }: FolderMark): Promise<boolean> {
  const wanted = Buffer.from(header);
  if (wanted.length === 0) return true;
  try {
    await using file = await open(fsPath(path), 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted.length), 0, wanted.length, 0);
    return bytesRead === wanted.length && buffer.equals(wanted);
  } catch {
    return false;
  }
}

function fsPath(path: string): string | Buffer {
  return isText(path) ? path : Buffer.from(encodeName(path));
}
