import type { Plan } from '../../domain/plan.ts';
import type { ArchiveOutlook } from '../../operations/archive-retention.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatBytes, formatTime } from '../units.ts';
import { rulesText } from './retention.ts';

const COLUMNS: readonly Column[] = [
  { title: 'Time' },
  { title: 'Database', flexible: true },
  { title: 'Stored', align: 'right' },
  { title: 'Fate' },
  { title: 'Why', flexible: true },
  { title: 'File', flexible: 'last' },
];

/** What stays and what goes, each with its reason. */
export function archiveRetentionLines(outlook: ArchiveOutlook, plan: Plan, output: Output): string[] {
  const { groups, remove, hold, archive } = outlook;
  const rows = groups.flatMap(({ database, verdicts }) =>
    verdicts.map(({ snapshot: { file, time }, kept, reasons }) => [
      formatTime(new Date(time)),
      quoted(database),
      formatBytes(file.manifest.stored.bytes, 1),
      kept ? output.style('green', 'stays') : output.style('red', 'goes'),
      reasons.join('\n'),
      quoted(file.key),
    ]),
  );
  const freed = remove.reduce((sum, { manifest }) => sum + manifest.stored.bytes, 0);
  return [
    output.style('bold', `plan ${quoted(outlook.plan)}, archive ${quoted(archive)}, ${rulesText(plan)}`),
    renderTable(COLUMNS, rows, output.room),
    ...(hold === undefined ? [] : [output.style('yellow', `nothing goes: ${hold} (--even-if-failing overrides)`)]),
    `${count(rows.length - remove.length, 'file')} to stay, ${String(remove.length)} to go, ${formatBytes(freed, 1)} to be freed`,
  ];
}

/** What `--json` tells of a plan's files in one archive. */
export function archiveRetentionMessage({
  plan,
  archive,
  hold,
  groups,
  remove,
}: ArchiveOutlook): Record<string, unknown> {
  return {
    message_type: 'archive_retention',
    plan,
    archive,
    hold,
    files: groups.flatMap(({ database, verdicts }) =>
      verdicts.map(({ snapshot: { id, time }, kept, reasons }) => ({ key: id, database, time, kept, reasons })),
    ),
    remove: remove.map(({ key }) => key),
  };
}
