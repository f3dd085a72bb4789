import type { Summary } from '../../operations/summary.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatAge, formatBytes, formatTime } from '../units.ts';
import { shortId } from './snapshot.ts';

const COLUMNS: readonly Column[] = [
  { title: 'Of', flexible: true },
  { title: 'Last success', flexible: true },
  { title: 'Snapshot', flexible: true },
  { title: 'Size', flexible: true },
  { title: 'Retention', flexible: true },
];

/** A plan in a few lines of one row. */
export function summaryTable(summaries: readonly Summary[], output: Output): string {
  const rows = summaries.map((summary) => [
    subjectOf(summary),
    backupCell(summary, output),
    snapshotCell(summary, output),
    sizeCell(summary),
    retentionCell(summary, output),
  ]);
  return `${renderTable(COLUMNS, rows, output.room)}\n${count(summaries.length, summaries.every(({ plan }) => plan !== undefined) ? 'plan' : 'source')}`;
}

function subjectOf({ plan, group }: Summary): string {
  if (plan !== undefined || group === undefined) return quoted(plan ?? '');
  return [...group.paths.map(quoted), `on ${quoted(group.hostname)}`].join('\n');
}

/** When it last succeeded, how old that is, whether that is as it should be, and when it is due again. */
function backupCell({ lastSuccess, lastRun, timetable }: Summary, output: Output): string {
  const lines = [
    lastSuccess === undefined
      ? output.style('red', 'never')
      : `${formatTime(new Date(lastSuccess.snapshot.time))}\n${formatAge(lastSuccess.ageMs)} ago`,
  ];
  if (timetable?.late !== undefined) {
    const { isOverdue, since } = timetable.late;
    lines.push(
      output.style(isOverdue ? 'red' : 'yellow', `${isOverdue ? 'overdue' : 'due'} since ${formatTime(since)}`),
    );
  } else if (timetable !== undefined && lastSuccess !== undefined) lines.push(output.style('green', 'in time'));
  const state = lastRun?.outcome?.state ?? 'no end yet';
  if (lastRun !== undefined && state !== 'succeeded')
    lines.push(
      output.style(state === 'failed' ? 'red' : 'yellow', `last run: ${state} ${formatTime(lastRun.startedAt)}`),
    );
  lines.push(timetable === undefined ? 'no schedule' : `next ${timetable.next ? formatTime(timetable.next) : 'never'}`);
  return lines.join('\n');
}

function snapshotCell({ lastSuccess }: Summary, output: Output): string {
  if (lastSuccess === undefined) return '';
  const { snapshot, type, proof } = lastSuccess;
  const sure = proof === 'proven' ? output.style('green', proof) : proof;
  return [output.style('cyan', shortId(snapshot.id)), type, sure].join('\n');
}

function sizeCell({ sizes }: Summary): string {
  if (sizes.snapshots === 0) return '';
  return [
    ...(sizes.source === undefined ? [] : [formatBytes(sizes.source, 1)]),
    `${formatBytes(sizes.raw, 1)} in all`,
    `${formatBytes(sizes.stored, 1)} stored`,
    `ratio ${ratioOf(sizes)?.toFixed(1) ?? '-'}`,
  ].join('\n');
}

function retentionCell({ retention, sizes }: Summary, output: Output): string {
  if (retention === undefined) return `no plan\n${count(sizes.snapshots, 'snapshot')}`;
  const { basis, remove, hold } = retention;
  return [
    basis === 'nothing' ? 'no rules' : basis,
    `${String(sizes.snapshots - remove.length)} to stay`,
    `${String(remove.length)} to go`,
    ...(hold === undefined ? [] : [output.style('yellow', hold)]),
  ].join('\n');
}

function ratioOf({ raw, stored }: Summary['sizes']): number | undefined {
  return stored > 0 ? raw / stored : undefined;
}

/** One plan of what `--json` tells. Sizes in bytes, the age in seconds. */
export function summaryMessage(summary: Summary): Record<string, unknown> {
  const { plan, group, repository, lastSuccess, lastRun, timetable, sizes, retention } = summary;
  return {
    plan,
    hostname: group?.hostname,
    paths: group?.paths,
    repository,
    last_success: lastSuccess && {
      id: lastSuccess.snapshot.id,
      time: lastSuccess.snapshot.time,
      age_seconds: Math.round(lastSuccess.ageMs / 1000),
      type: lastSuccess.type,
      proof: lastSuccess.proof,
    },
    last_run: lastRun && {
      time: lastRun.startedAt,
      state: lastRun.outcome?.state,
      error: lastRun.outcome?.error,
    },
    schedule: timetable && {
      expression: timetable.schedule,
      time_zone: timetable.timeZone,
      next: timetable.next,
      due_since: timetable.late?.since,
      overdue: timetable.late?.isOverdue ?? false,
    },
    snapshots: sizes.snapshots,
    source_bytes: sizes.source,
    raw_bytes: sizes.raw,
    stored_bytes: sizes.stored,
    deduplication: ratioOf(sizes),
    retention: retention && {
      basis: retention.basis,
      keep: sizes.snapshots - retention.remove.length,
      remove: retention.remove.length,
      hold: retention.hold,
    },
  };
}
