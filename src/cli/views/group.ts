import type { GroupKey } from '../../domain/snapshot-group.ts';
import { quoted } from '../printable.ts';

/** What the snapshots of a group have in common: `host web1, /etc, tags daily` */
export function groupTitle({ hostname, paths, tags }: GroupKey): string {
  const parts = [
    ...(hostname === '' ? [] : [`host ${quoted(hostname)}`]),
    ...(paths.length === 0 ? [] : [paths.map(quoted).join(', ')]),
    ...(tags.length === 0 ? [] : [`tags ${tags.map(quoted).join(', ')}`]),
  ];
  return parts.length === 0 ? 'all snapshots' : parts.join(', ');
}

/** As `restic snapshots --group-by … --json` shows it. */
export function groupMessage({ hostname, paths, tags }: GroupKey): Record<string, unknown> {
  return { hostname, paths: orNull(paths), tags: orNull(tags) };
}

/** An empty list is `null` in Go's JSON. */
export function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}
