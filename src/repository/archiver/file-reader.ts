/** Reads a local file into blobs, and notices when it changes under the reader's hands. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath } from '../filesystem/path.ts';
import { isSameState, statOpen } from '../filesystem/stat.ts';
import { MIN_CHUNK } from '../format/chunker.ts';
import type { Stat } from '../format/stat.ts';
import type { Id } from '../format/id.ts';
import type { BlobSink } from './blob-sink.ts';
import type { Cutter } from './cutter.ts';

export interface ReadFile {
  readonly content: readonly Id[];
  /** Bytes read. */
  readonly size: number;
  /** As it was when the reading began. */
  readonly stat: Stat;
  /** It changed in the meantime, twice: what was stored may never have existed as a whole. */
  readonly changed: boolean;
}

const TRIES = 2;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const PAGE = 4096;

/** Files of fewer bytes are one chunk: nothing is cut before. */
export const SMALL_FILE = MIN_CHUNK;

/**
 * Reads a file that seemed to be smaller than {@link SMALL_FILE}.
 * @returns undefined if it is not, or changes meanwhile: then {@link readFile} is to read it
 * @throws a system error: `ENOENT` for a vanished file, `ELOOP` for one that became a symlink, `EACCES` …
 */
export function readSmallFile(local: string, cutter: Cutter, sink: BlobSink): ReadFile | undefined {
  const fd = openSync(fsPath(local), FLAGS);
  try {
    const stat = statOpen(fd);
    cutter.reset();
    const space = cutter.space();
    const size = readToEnd(fd, space.subarray(0, SMALL_FILE), stat.size);
    if (size === SMALL_FILE || !isSameState(stat, statOpen(fd))) return undefined;
    const content = size === 0 ? [] : [sink.take(space.subarray(0, size))];
    return { content, size, stat, changed: false };
  } finally {
    closeSync(fd);
  }
}

/** @returns bytes read: as many as there is room for, or all. `expected`: what the file seems to hold. */
function readToEnd(fd: number, space: Uint8Array, expected: number): number {
  let size = 0;
  while (size < space.length) {
    const length = readSync(fd, space, size, space.length - size, size);
    size += length;
    // What the system makes up (in /proc, say) may be more than it says, and comes by the page.
    if (length === 0 || (size === expected && size % PAGE !== 0)) break;
  }
  return size;
}

/** @throws a system error: `ENOENT` for a vanished file, `ELOOP` for one that became a symlink, `EACCES` … */
export async function readFile(local: string, cutter: Cutter, sink: BlobSink): Promise<ReadFile> {
  const fd = openSync(fsPath(local), FLAGS);
  try {
    for (let tries = 1; ; tries++) {
      const stat = statOpen(fd);
      const { content, size } = await readOnce(fd, cutter, sink);
      const changed = !isSameState(stat, statOpen(fd));
      if (!changed || tries === TRIES) return { content, size, stat, changed };
    }
  } finally {
    closeSync(fd);
  }
}

async function readOnce(fd: number, cutter: Cutter, sink: BlobSink): Promise<{ content: Id[]; size: number }> {
  cutter.reset();
  const content: Id[] = [];
  let size = 0;
  for (;;) {
    const space = cutter.space();
    const length = readSync(fd, space, 0, space.length, size);
    cutter.filled(length);
    size += length;
    const final = length === 0;
    for (let chunk = cutter.take(final); chunk !== undefined; chunk = cutter.take(final))
      content.push(await sink.put(chunk));
    if (final) return { content, size };
  }
}
