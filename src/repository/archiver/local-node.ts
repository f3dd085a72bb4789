/** A node of a tree from what the local file system says of an entry. */
import { readlinkSync, type BigIntStats } from 'node:fs';
import { decodeName } from '../../domain/name.ts';
import { readAttributes } from '../filesystem/attributes.ts';
import { fsPath } from '../filesystem/path.ts';
import { goMode, type Node } from '../format/node.ts';
import { formatTime } from '../format/time.ts';
import type { Accounts } from './accounts.ts';

const KIND_BITS = 0o170000n;
const KINDS = new Map<bigint, Node['type']>([
  [0o100000n, 'file'],
  [0o040000n, 'dir'],
  [0o120000n, 'symlink'],
  [0o060000n, 'dev'],
  [0o020000n, 'chardev'],
  [0o010000n, 'fifo'],
  [0o140000n, 'socket'],
]);

export function kindOf(stats: BigIntStats): Node['type'] {
  return KINDS.get(stats.mode & KIND_BITS) ?? 'irregular';
}

/**
 * The node, without content and subtree. The access time is the modification time, as in restic, so that reading a
 * file does not change its tree, unless `withAtime`. `local` is the entry's path in the string form of `domain/name.ts`.
 * @throws a system error if a symlink or the extended attributes cannot be read.
 */
export function localNode(
  name: string,
  local: string,
  stats: BigIntStats,
  accounts: Accounts,
  withAtime = false,
): Node {
  const type = kindOf(stats);
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const user = accounts.user(uid);
  const group = accounts.group(gid);
  const mtime = formatTime(stats.mtimeNs);
  const attributes = readAttributes(fsPath(local));
  return {
    name,
    type,
    mode: goMode(type, Number(stats.mode & 0o7777n)),
    mtime,
    atime: withAtime ? formatTime(stats.atimeNs) : mtime,
    ctime: formatTime(stats.ctimeNs),
    uid,
    gid,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    inode: stats.ino,
    deviceId: stats.dev,
    size: type === 'file' ? Number(stats.size) : 0,
    ...(type === 'dir' || type === 'fifo' || type === 'socket' ? {} : { links: Number(stats.nlink) }),
    ...(type === 'symlink' ? { linkTarget: decodeName(readlinkSync(fsPath(local), 'buffer')) } : {}),
    ...(type === 'dev' || type === 'chardev' ? { device: stats.rdev } : {}),
    ...(attributes.length === 0 ? {} : { extendedAttributes: attributes }),
  };
}
