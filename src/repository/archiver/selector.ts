/** Which entries of a local tree are left out. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import type { FolderMark, Reading, Selection } from '../../domain/entry.ts';
import { compilePatterns, type Patterns } from '../../domain/pattern.ts';
import { fsPath } from '../filesystem/path.ts';

/** By the Cache Directory Tagging Specification. */
const CACHE: FolderMark = { name: 'CACHEDIR.TAG', header: 'Signature: 8a477f597d28d172789f06886806bc55' };

export class Selector {
  readonly selection: Selection;
  /** Of what is not left out. */
  readonly reading: Reading;
  readonly #excludes: readonly Patterns[];
  readonly #marks: readonly FolderMark[];
  readonly #most: number;

  constructor(selection: Selection, reading: Reading = {}) {
    const { exclude, iexclude = [], excludeCaches, excludeIfPresent = [], excludeLargerThan = Infinity } = selection;
    this.selection = selection;
    this.reading = reading;
    this.#excludes = [compilePatterns(exclude), compilePatterns(iexclude, { ignoreCase: true })].filter(
      ({ count }) => count > 0,
    );
    this.#marks = [...(excludeCaches ? [CACHE] : []), ...excludeIfPresent];
    this.#most = excludeLargerThan;
  }

  /** By its path: an absolute local one. */
  excludes(local: string): boolean {
    return this.#excludes.some((patterns) => patterns.matches(local).match);
  }

  /** What is no folder, by its size in bytes. */
  isTooLarge(size: number | bigint): boolean {
    return size > this.#most;
  }

  /** Of a marked folder only the mark itself is kept; of one with several marks nothing. */
  namesToKeep(folder: string, names: readonly string[]): readonly string[] {
    const marks = this.#marks.filter((mark) => names.includes(mark.name) && hasHeader(folder, mark));
    return marks.length === 0 ? names : names.filter((name) => marks.every((mark) => mark.name === name));
  }
}

/** Of a mark that cannot be read we do not know that it is one: then nothing is left out. */
function hasHeader(folder: string, { name, header }: FolderMark): boolean {
  const wanted = Buffer.from(header);
  if (wanted.length === 0) return true;
  try {
    const fd = openSync(fsPath(posix.join(folder, name)), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const start = Buffer.alloc(wanted.length);
      return readSync(fd, start) === start.length && start.equals(wanted);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}
