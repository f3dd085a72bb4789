import type { ForgetGroup, ForgetPlan } from '../../operations/forget.ts';
import type { Output } from '../output.ts';
import { count } from '../units.ts';
import { groupTitle, orNull } from './group.ts';
import { snapshotMessage, snapshotTable } from './snapshot.ts';

/** What goes and what stays, group by group, oldest first. */
export function forgetLines({ groups, remove }: ForgetPlan, compact: boolean, output: Output): string[] {
  if (groups.length === 0) {
    if (remove.length === 0) return ['there is no snapshot to judge'];
    const rows = remove.map((snapshot) => ({ snapshot }));
    return ['dropping:', snapshotTable(output, rows, compact)];
  }
  return groups.flatMap((group) => [
    output.style('bold', groupTitle(group.key)),
    ...keepTable(group, compact, output),
    ...removeTable(group, compact, output),
    '',
  ]);
}

function keepTable({ keep }: ForgetGroup, compact: boolean, output: Output): string[] {
  const rows = keep.toReversed().map(({ snapshot, reasons }) => ({ snapshot, reasons }));
  return rows.length === 0 ? [] : [`keeping ${count(rows.length, 'snapshot')}:`, snapshotTable(output, rows, compact)];
}

function removeTable({ remove }: ForgetGroup, compact: boolean, output: Output): string[] {
  const rows = remove.toReversed().map((snapshot) => ({ snapshot }));
  return rows.length === 0 ? ['nothing to drop'] : ['dropping:', snapshotTable(output, rows, compact)];
}

/** As `restic forget --json` tells it. */
export function forgetMessage({ groups }: ForgetPlan): unknown {
  return groups.map(({ key, keep, remove }) => ({
    tags: orNull(key.tags),
    host: key.hostname,
    paths: orNull(key.paths),
    keep: orNull(keep.map(({ snapshot }) => snapshotMessage(snapshot))),
    remove: orNull(remove.map(snapshotMessage)),
    reasons: orNull(
      keep.map(({ snapshot, reasons, counters }) => ({
        snapshot: snapshotMessage(snapshot),
        matches: reasons,
        counters,
      })),
    ),
  }));
}
