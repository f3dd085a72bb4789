/** Reads a local file into blobs, and notices when it changes under the reader's hands. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath } from '../filesystem/path.ts';
import { isSameState, statOpen } from '../filesystem/stat.ts';
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

/** @throws a system error: `ENOENT` for a vanished file, `ELOOP` for one that became a symlink, `EACCES` … */
export async function readFile(local: string, cutter: Cutter, sink: BlobSink): Promise<ReadFile> {
  const fd = openSync(fsPath(local), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
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
