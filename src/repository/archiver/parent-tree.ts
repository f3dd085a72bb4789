/** What the parent snapshot says of a directory, and of a file. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Reading } from '../../domain/entry.ts';
import type { Sealer } from '../format/crypto.ts';
import type { Node } from '../format/node.ts';
import type { Instant, Stat } from '../format/stat.ts';
import { parseTime } from '../format/time.ts';
import { unpackBlob } from '../storage/blobs.ts';
import type { ParentTree } from './protocol.ts';
import { StoredTree } from './stored-tree.ts';

const LARGE_TREE = 4 * 1024 * 1024;
const NONE = new Uint8Array(0);

/** The tree's bytes, or none. A parent that cannot be read is no parent: everything is read anew. */
export function loadParent(parent: ParentTree | undefined, names: readonly string[], sealer: Sealer): Uint8Array {
  const [first, last] = [names[0], names.at(-1)];
  if (parent === undefined || first === undefined || last === undefined) return NONE;
  try {
    const whole = parent.kind === 'bytes' ? parent.bytes : unpackBlob(sealer, readRange(parent), parent.blob);
    // What the directory held once may be far more than what it holds now.
    return whole.length > LARGE_TREE ? new StoredTree(whole).between(first, last) : whole;
  } catch {
    return NONE;
  }
}

/** By restic's rule: same size, modification and change time, inode; as far as they are not to be ignored. */
export function isUnchanged(
  stat: Stat,
  previous: Node,
  { ignoreInode = false, ignoreCtime = false }: Reading,
): boolean {
  return (
    previous.type === 'file' &&
    previous.size === stat.size &&
    (ignoreInode || previous.inode === stat.inode) &&
    isTime(stat.mtime, previous.mtime) &&
    (ignoreInode || ignoreCtime || isTime(stat.ctime, previous.ctime))
  );
}

function isTime({ seconds, nanoseconds }: Instant, stored: string | undefined): boolean {
  return stored !== undefined && parseTime(stored) === BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function readRange({ file, blob }: Extract<ParentTree, { kind: 'local' }>): Uint8Array {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.allocUnsafe(blob.length);
    let at = 0;
    while (at < bytes.length) {
      const length = readSync(fd, bytes, at, bytes.length - at, blob.offset + at);
      if (length === 0) break;
      at += length;
    }
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}
