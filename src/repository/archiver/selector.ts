/** Which entries of a local tree are left out. */
import { closeSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import type { Selection } from '../../domain/entry.ts';
import { compilePatterns } from '../../domain/pattern.ts';
import { fsPath } from '../filesystem/path.ts';

const CACHE_TAG = 'CACHEDIR.TAG';
/** What such a file starts with, by the Cache Directory Tagging Specification. */
const CACHE_SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55';

export class Selector {
  readonly selection: Selection;
  readonly #exclude: ReturnType<typeof compilePatterns> | undefined;

  constructor(selection: Selection) {
    this.selection = selection;
    this.#exclude = selection.exclude.length === 0 ? undefined : compilePatterns(selection.exclude);
  }

  excludes(local: string): boolean {
    return this.#exclude?.matches(local).match ?? false;
  }

  /** Of a folder marked as a cache, only the mark itself is kept. */
  namesToKeep(folder: string, names: readonly string[]): readonly string[] {
    if (!this.selection.excludeCaches || !names.includes(CACHE_TAG)) return names;
    return hasSignature(posix.join(folder, CACHE_TAG)) ? [CACHE_TAG] : names;
  }
}

function hasSignature(file: string): boolean {
  try {
    const fd = openSync(fsPath(file), 'r');
    try {
      const start = Buffer.alloc(CACHE_SIGNATURE.length);
      return readSync(fd, start) === start.length && start.toString('latin1') === CACHE_SIGNATURE;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}
