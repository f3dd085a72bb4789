import { CALENDAR_CLASSES } from '../../domain/calendar.ts';
import type { KeepRules, Plan } from '../../domain/plan.ts';
import { proofOf } from '../../domain/proof.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { typeOf } from '../../domain/strategy.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { JudgedSource, RetentionOutlook } from '../../operations/retention.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatBytes, formatTime } from '../units.ts';
import { shortId } from './snapshot.ts';

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'Time', flexible: 'last' },
  { title: 'Type', flexible: true },
  { title: 'Proof' },
  { title: 'Size', align: 'right' },
  { title: 'Fate' },
  { title: 'Why', flexible: true },
];

/** Which rules a plan has, in the words of respaldo.yaml: `calendar: daily 7, weekly 4 … in Europe/Madrid`. */
export function rulesText({ keep, calendar, timeZone }: Pick<Plan, 'keep' | 'calendar' | 'timeZone'>): string {
  if (calendar !== undefined) {
    const zone = timeZone === undefined ? '' : `, days of ${timeZone}`;
    return `calendar: ${CALENDAR_CLASSES.map((name) => `${name} ${shown(calendar[name])}`).join(', ')}${zone}`;
  }
  return keep === undefined ? 'no rules (neither calendar: nor keep:), all snapshots stay' : `keep: ${keepText(keep)}`;
}

function keepText(keep: KeepRules): string {
  return Object.entries(keep)
    .map(([rule, value]: [string, unknown]) => `${rule} ${Array.isArray(value) ? value.join(' ') : shown(value)}`)
    .join(', ');
}

function shown(value: unknown): string {
  return value === Infinity ? 'unlimited' : String(value);
}

/**
 * What stays and what goes, source by source, the newest first, each with its reason.
 * @param freed bytes; undefined where that cannot be told
 */
export function retentionLines(
  outlook: RetentionOutlook,
  plan: Plan,
  freed: number | undefined,
  output: Output,
): string[] {
  const { sources, remove, hold } = outlook;
  const all = sources.reduce((sum, { verdicts }) => sum + verdicts.length, 0);
  return [
    output.style('bold', `plan ${quoted(outlook.plan)}, ${rulesText(plan)}`),
    ...sources.flatMap((source) => [source.key.paths.map(quoted).join(', '), sourceTable(source, output)]),
    ...(hold === undefined ? [] : [output.style('yellow', `nothing goes: ${hold} (--even-if-failing overrides)`)]),
    `${count(all - remove.length, 'snapshot')} to stay, ${String(remove.length)} to go, ${freedText(freed)}`,
  ];
}

function freedText(freed: number | undefined): string {
  if (freed === undefined) return 'how much is freed cannot be told while another process uses the repository';
  return `${formatBytes(freed, 1)} to be freed`;
}

function sourceTable({ verdicts }: JudgedSource, output: Output): string {
  const rows = verdicts.map(({ snapshot, kept, reasons }) => [
    output.style(kept ? 'cyan' : 'yellow', shortId(snapshot.id)),
    formatTime(new Date(snapshot.time)),
    typeOf(snapshot),
    proofOf(snapshot),
    snapshot.summary === undefined ? '' : formatBytes(snapshot.summary.total_bytes_processed, 1),
    kept ? output.style('green', 'stays') : output.style('red', 'goes'),
    reasons.join('\n'),
  ]);
  return renderTable(COLUMNS, rows, output.room);
}

/** One plan of what `--json` tells. */
export function retentionMessage(
  outlook: RetentionOutlook,
  plan: Plan,
  freed: number | undefined,
): Record<string, unknown> {
  const { basis, hold, sources, remove } = outlook;
  const verdicts = sources.flatMap((source) => source.verdicts);
  return {
    plan: outlook.plan,
    basis,
    rules: rulesMessage(plan),
    time_zone: plan.timeZone,
    hold,
    keep: verdicts.length - remove.length,
    remove: remove.length,
    bytes_freed: freed,
    snapshots: verdicts.map(verdictMessage),
  };
}

/** JSON knows no infinity. */
function rulesMessage({ calendar, keep }: Plan): Record<string, unknown> {
  const rules: readonly [string, unknown][] = Object.entries(calendar ?? keep ?? {});
  return Object.fromEntries(rules.map(([rule, value]) => [rule, value === Infinity ? 'unlimited' : value]));
}

function verdictMessage({ snapshot, kept, reasons }: Verdict<Snapshot>): Record<string, unknown> {
  const { id, time, hostname, paths, tags, summary } = snapshot;
  return {
    id,
    short_id: shortId(id),
    time,
    hostname,
    paths,
    tags,
    type: typeOf(snapshot),
    proof: proofOf(snapshot),
    size: summary?.total_bytes_processed,
    keep: kept,
    reasons,
  };
}
