/** A node of a tree from what the local file system says of an entry. */
import { readlinkSync } from 'node:fs';
import { decodeName } from '../../domain/name.ts';
import { readAttributes } from '../filesystem/attributes.ts';
import { fsPath } from '../filesystem/path.ts';
import { goMode, type Node } from '../format/node.ts';
import type { Instant, Stat } from '../format/stat.ts';
import { formatInstant } from '../format/time.ts';
import type { Accounts } from './accounts.ts';

/**
 * The node, without content and subtree. The access time is the modification time, as in restic, so that reading a
 * file does not change its tree, unless `withAtime`. `local` is the entry's path in the string form of `domain/name.ts`.
 * @throws a system error if a symlink or the extended attributes cannot be read.
 */
export function localNode(name: string, local: string, stat: Stat, accounts: Accounts, withAtime = false): Node {
  const { type, uid, gid } = stat;
  const user = accounts.user(uid);
  const group = accounts.group(gid);
  const mtime = formatTime(stat.mtime);
  const attributes = readAttributes(fsPath(local));
  return {
    name,
    type,
    mode: goMode(type, stat.permissions),
    mtime,
    atime: withAtime ? formatTime(stat.atime) : mtime,
    ctime: formatTime(stat.ctime),
    uid,
    gid,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    inode: stat.inode,
    deviceId: stat.device,
    size: type === 'file' ? stat.size : 0,
    ...(type === 'dir' || type === 'fifo' || type === 'socket' ? {} : { links: stat.links }),
    ...(type === 'symlink' ? { linkTarget: decodeName(readlinkSync(fsPath(local), 'buffer')) } : {}),
    ...(type === 'dev' || type === 'chardev' ? { device: stat.rdev } : {}),
    ...(attributes.length === 0 ? {} : { extendedAttributes: attributes }),
  };
}

function formatTime({ seconds, nanoseconds }: Instant): string {
  return formatInstant(seconds, nanoseconds);
}
