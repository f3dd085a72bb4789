import type { ListedNode } from '../../repository/repository.ts';
import { quoted } from '../printable.ts';
import { formatTime } from '../units.ts';

/** As `restic ls --json` shows an entry of a snapshot. */
export function nodeMessage(node: ListedNode): Record<string, unknown> {
  return { ...nodeFacts(node), message_type: 'node', struct_type: 'node' };
}

/** What all of restic's messages tell of an entry. */
export function nodeFacts(node: ListedNode): Record<string, unknown> {
  return {
    name: node.name,
    type: node.type,
    path: node.path,
    uid: node.uid,
    gid: node.gid,
    size: node.type === 'file' ? node.size : undefined,
    mode: node.mode === 0 ? undefined : node.mode,
    permissions: permissions(node.mode),
    mtime: node.mtime ?? ZERO_TIME,
    atime: node.atime ?? ZERO_TIME,
    ctime: node.ctime ?? ZERO_TIME,
    inode: node.inode === undefined || node.inode === 0n ? undefined : Number(node.inode),
  };
}

/** Go's time that was never set. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** `-rw-r--r--  1000  1000   1234 2025-01-31 07:05:09 /etc/hosts`, as `ls -l` is read. */
export function longLine(node: ListedNode): string {
  const owner = `${String(node.uid).padStart(5)} ${String(node.gid).padStart(5)}`;
  const size = String(node.size).padStart(10);
  const time = node.mtime === undefined ? ''.padEnd(19) : formatTime(new Date(node.mtime));
  const target = node.linkTarget === undefined ? '' : ` -> ${quoted(node.linkTarget)}`;
  return `${permissions(node.mode)} ${owner} ${size} ${time} ${quoted(node.path)}${target}`;
}

/** Bits 31 down, by Go's letters for them: directory, append, exclusive, temporary, link, device, pipe, socket … */
const LETTERS = 'dalTLDpSugct?';
const PERMISSIONS = 'rwxrwxrwx';

/** Go's file mode as text: `drwxr-xr-x`, `urwxr-xr-x` for set-uid. */
function permissions(mode: number): string {
  const kind = Array.from(LETTERS)
    .filter((_, at) => ((mode >>> (31 - at)) & 1) === 1)
    .join('');
  const bits = Array.from(PERMISSIONS)
    .map((letter, at) => (((mode >>> (8 - at)) & 1) === 1 ? letter : '-'))
    .join('');
  return `${kind === '' ? '-' : kind}${bits}`;
}
