import { stepsEnding } from '../../domain/archive.ts';
import type { FoundFile } from '../../operations/archive-files.ts';
import type { ArchiveRestorePlan } from '../../operations/archive-restore.ts';
import type { Output } from '../output.ts';
import { harmless, quoted } from '../printable.ts';
import type { ProgressView } from '../progress.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatBytes, formatPercent, formatTime } from '../units.ts';
import { paceText } from './pace.ts';

const COLUMNS: readonly Column[] = [
  { title: 'Time' },
  { title: 'Archive' },
  { title: 'Plan', flexible: true },
  { title: 'Database', flexible: true },
  { title: 'Size', align: 'right' },
  { title: 'Stored', align: 'right' },
  { title: 'File', flexible: 'last' },
];

export function archiveTable(files: readonly FoundFile[], output: Output): string {
  const rows = files.map(({ archive, key, manifest, state }) => [
    formatTime(new Date(manifest.time)),
    quoted(archive),
    quoted(manifest.plan),
    `${quoted(manifest.database)}${levelText(manifest.chain?.level)}`,
    formatBytes(manifest.plain.bytes, 1),
    formatBytes(manifest.stored.bytes, 1),
    state === 'whole' ? quoted(key) : `${quoted(key)} ${output.style('red', WRONG[state])}`,
  ]);
  const stored = files.reduce((sum, { manifest }) => sum + manifest.stored.bytes, 0);
  return `${renderTable(COLUMNS, rows, output.room)}\n${count(files.length, 'file')}, ${formatBytes(stored, 1)}`;
}

/** Of a file that builds upon others. */
function levelText(level = 0): string {
  return level === 0 ? '' : ` (level ${String(level)})`;
}

const WRONG = { missing: '(the file is gone)', resized: '(has another size)' } as const;

/** What `--json` tells of files: their manifests, and where they are. */
export function listingMessage(files: readonly FoundFile[]): readonly Record<string, unknown>[] {
  return files.map(({ archive, key, state, manifest }) => ({ archive, key, state, ...manifest }));
}

/** A file, in a sentence. */
export function archiveTitle({ key, archive, manifest }: FoundFile): string {
  return `${quoted(key)} of the archive ${quoted(archive)}, of ${formatTime(new Date(manifest.time))}`;
}

/** What becomes of one file. */
export function restorePlanLines(
  file: FoundFile,
  { target, becomes, neededBytes, freeBytes, chain }: ArchiveRestorePlan,
): string[] {
  const { manifest, key, archive } = file;
  const steps = stepsEnding(manifest.compression.name, manifest.encryption?.tool);
  return [
    `restoring ${quoted(key)} of the archive ${quoted(archive)}`,
    `  holds   ${quoted(manifest.database)}, of ${formatTime(new Date(manifest.time))}${steps === '' ? '' : ` (${harmless(steps)})`}`,
    ...(chain.length > 1
      ? [
          `  after   ${chain
            .slice(0, -1)
            .map(({ key: before }) => quoted(before))
            .join(', ')}`,
        ]
      : []),
    `  to      ${quoted(target)}, ${becomes === 'folder' ? 'unpacked' : 'as a file'}`,
    `  takes   ${formatBytes(neededBytes)}, ${formatBytes(freeBytes)} free`,
  ];
}

export function restoreMessage({ archive, key, manifest }: FoundFile, target: string): Record<string, unknown> {
  return {
    message_type: 'summary',
    archive,
    key,
    target,
    total_bytes: manifest.plain.bytes,
    bytes_restored: manifest.plain.bytes,
  };
}

/** @param total plain bytes */
export function readingProgress(key: string, total: number): ProgressView<number> {
  return {
    bytes: (done) => ({ done, total }),
    line: (done, pace) => `${formatPercent(done, total, 1)}  ${formatBytes(done, 1)}${paceText(pace)}  ${quoted(key)}`,
    message: (done) => ({
      message_type: 'status',
      percent_done: total > 0 ? done / total : 0,
      bytes_done: done,
      total_bytes: total,
    }),
  };
}
