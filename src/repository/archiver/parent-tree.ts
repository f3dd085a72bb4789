/** The parent snapshot's view of one directory, by name. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { Reading } from '../../domain/entry.ts';
import type { Sealer } from '../format/crypto.ts';
import type { Node } from '../format/node.ts';
import { parseTime } from '../format/time.ts';
import { parseTree } from '../format/tree.ts';
import { unpackBlob } from '../storage/blobs.ts';
import type { ParentTree } from './protocol.ts';
import { StoredTree } from './stored-tree.ts';

const LARGE_TREE = 4 * 1024 * 1024;
const NONE: ReadonlyMap<string, Node> = new Map();

/** A parent that cannot be read is no parent: everything is read anew, and `check` tells of the damage. */
export function loadParent(
  parent: ParentTree | undefined,
  names: readonly string[],
  sealer: Sealer,
): ReadonlyMap<string, Node> {
  const [first, last] = [names[0], names.at(-1)];
  if (parent === undefined || first === undefined || last === undefined) return NONE;
  try {
    const whole = parent.kind === 'bytes' ? parent.bytes : unpackBlob(sealer, readRange(parent), parent.blob);
    // What the directory held once may be far more than what it holds now.
    const bytes = whole.length > LARGE_TREE ? new StoredTree(whole).between(first, last) : whole;
    return new Map(parseTree(bytes).map((node) => [node.name, node]));
  } catch {
    return NONE;
  }
}

/** By restic's rule: same size, modification and change time, inode; as far as they are not to be ignored. */
export function isUnchanged(
  stats: BigIntStats,
  previous: Node,
  { ignoreInode = false, ignoreCtime = false }: Reading,
): boolean {
  return (
    previous.type === 'file' &&
    BigInt(previous.size) === stats.size &&
    (ignoreInode || previous.inode === stats.ino) &&
    previous.mtime !== undefined &&
    parseTime(previous.mtime) === stats.mtimeNs &&
    (ignoreInode || ignoreCtime || (previous.ctime !== undefined && parseTime(previous.ctime) === stats.ctimeNs))
  );
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
