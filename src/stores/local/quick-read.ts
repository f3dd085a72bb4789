import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

import type { Clock } from '../../clock.ts';

/** Bytes that are read at once; more is left to a thread. */
const MOST = 64 * 1024;
/** Milliseconds: memory and a fast disk answer sooner, a server or a disk that has to move its head do not. */
const QUICK = 2;
/** So many answers may be slow in a row. */
const PATIENCE = 8;
/** As a busy machine makes some slow, so many quick ones make up for a slow one. */
const QUICK_FOR_SLOW = 16;

/**
 * Reads and looks at small files without a detour through another thread, which would take ten times as long. A medium
 * that makes this thread wait is noticed; from then on threads do it, several at a time.
 */
export class QuickRead {
  readonly #clock: Clock;
  #slow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @returns undefined if this is not the way to read it: it is long, no file, or shorter than asked, or the medium slow.
   * @throws what opening and reading throw.
   */
  read(path: string, range: { readonly offset: number; readonly length: number } | undefined): Uint8Array | undefined {
    return range !== undefined && range.length > MOST ? undefined : this.#timed(() => readSmall(path, range));
  }

  /**
   * @returns undefined if nothing is there, or this is not the way to ask.
   * @throws what looking throws.
   */
  look(path: string): Stats | undefined {
    return this.#timed(() => statSync(path, { throwIfNoEntry: false }));
  }

  #timed<T>(act: () => T): T | undefined {
    if (this.#slow >= PATIENCE) return undefined;
    const start = this.#clock.monotonic();
    try {
      return act();
    } finally {
      if (this.#clock.monotonic() - start > QUICK) this.#slow += 1;
      else this.#slow = Math.max(0, this.#slow - 1 / QUICK_FOR_SLOW);
    }
  }
}

function readSmall(path: string, range: { offset: number; length: number } | undefined): Uint8Array | undefined {
  // A pipe in the place of a file would never open otherwise.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    const { offset, length } = range ?? { offset: 0, length: found.size };
    if (!found.isFile() || length > MOST || offset + length > found.size) return undefined;
    const bytes = new Uint8Array(length);
    return readSync(file, bytes, 0, length, offset) === length ? bytes : undefined;
  } finally {
    closeSync(file);
  }
}
