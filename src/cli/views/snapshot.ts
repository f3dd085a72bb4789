import { isIncomplete, type Snapshot } from '../../domain/snapshot.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatBytes, formatTime } from '../units.ts';

/** The first eight digits: what people type. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** As `restic snapshots --json` shows it. */
export function snapshotMessage(snapshot: Snapshot): Record<string, unknown> {
  const { id, time, parent, tree, paths, hostname, username, uid, gid, excludes, tags, original, ...rest } = snapshot;
  return {
    time,
    parent,
    tree,
    paths,
    hostname,
    username,
    uid: uid === 0 ? undefined : uid,
    gid: gid === 0 ? undefined : gid,
    excludes,
    tags,
    original,
    program_version: rest.program_version,
    summary: rest.summary,
    id,
    short_id: shortId(id),
  };
}

/** `snapshot 1a2b3c4d of [/etc] at 2025-01-31 07:05:09 by root@vm` */
export function snapshotTitle({ id, paths, time, username, hostname }: Snapshot): string {
  const what = paths.map(quoted).join(', ');
  return `snapshot ${shortId(id)} of [${what}] at ${formatTime(new Date(time))} by ${quoted(username)}@${quoted(hostname)}`;
}

export interface SnapshotRow {
  readonly snapshot: Snapshot;
  /** Why a policy keeps it. */
  readonly reasons?: readonly string[];
}

/** A table, oldest first, with the sizes of the source where the records tell them. */
export function snapshotTable(output: Output, rows: readonly SnapshotRow[], compact: boolean): string {
  const reasons = rows.some((row) => row.reasons !== undefined);
  const sizes = rows.some((row) => row.snapshot.summary !== undefined);
  const columns: Column[] = [
    { title: 'ID' },
    { title: 'Time', flexible: 'last' },
    { title: 'Host', flexible: true },
    { title: 'Tags', flexible: true },
    ...(reasons ? [{ title: 'Kept as', flexible: true } as const] : []),
    ...(compact ? [] : [{ title: 'Paths', flexible: true } as const]),
    ...(sizes ? [{ title: 'Size', align: 'right' as const }] : []),
  ];
  const cells = rows.map(({ snapshot, reasons: why }) => [
    output.style(isIncomplete(snapshot) ? 'yellow' : 'cyan', shortId(snapshot.id)),
    formatTime(new Date(snapshot.time)),
    quoted(snapshot.hostname),
    (snapshot.tags ?? []).map(quoted).join(compact ? '\n' : ','),
    ...(reasons ? [(why ?? []).join('\n')] : []),
    ...(compact ? [] : [snapshot.paths.map(quoted).join('\n')]),
    ...(sizes ? [snapshot.summary ? formatBytes(snapshot.summary.total_bytes_processed) : ''] : []),
  ]);
  return `${renderTable(columns, cells, output.room)}\n${count(rows.length, 'snapshot')}`;
}
