import type { SaveProgress, SaveSummary } from '../../repository/repository.ts';
import type { Pace } from '../pace.ts';
import { quoted } from '../printable.ts';
import type { ProgressView } from '../progress.ts';
import { count, formatBytes, formatDuration, formatPercent, formatRate } from '../units.ts';
import { paceText } from './pace.ts';

/** As `restic backup` tells how far it is; zeros are left out of the message, as restic leaves them out. */
export function backupProgress(): ProgressView<SaveProgress> {
  // A total that is no more than what is done is, at first, one that nobody has counted yet.
  let counted = false;
  const totalOf = ({ bytesDone, bytesTotal }: SaveProgress): number => {
    counted ||= bytesTotal > bytesDone;
    return counted ? bytesTotal : 0;
  };
  return {
    bytes: (state) => ({ done: state.bytesDone, total: totalOf(state) }),
    line: (state, pace) => {
      const errors = state.errorCount > 0 ? `  ${count(state.errorCount, 'error')}` : '';
      const current = state.currentFiles[0];
      const file = current === undefined ? '' : `  ${quoted(current)}`;
      return `[${formatDuration(pace.elapsed())}] ${howFar(state, totalOf(state))}${paceText(pace)}${errors}${file}`;
    },
    message: (state, pace) => statusMessage(state, totalOf(state), pace),
  };
}

function statusMessage(state: SaveProgress, total: number, pace: Pace): Record<string, unknown> {
  return {
    message_type: 'status',
    seconds_elapsed: Math.floor(pace.elapsed() / 1000) || undefined,
    seconds_remaining: Math.round((pace.remaining() ?? 0) / 1000) || undefined,
    percent_done: total > 0 ? Math.min(1, state.bytesDone / total) : 0,
    total_files: state.filesTotal || undefined,
    files_done: state.filesDone || undefined,
    total_bytes: state.bytesTotal || undefined,
    bytes_done: state.bytesDone || undefined,
    error_count: state.errorCount || undefined,
    current_files: state.currentFiles.length > 0 ? state.currentFiles.toSorted() : undefined,
  };
}

/** @param total bytes; 0: unknown */
function howFar({ bytesDone, filesDone, filesTotal }: SaveProgress, total: number): string {
  if (total === 0) return `${count(filesDone, 'file')}  ${formatBytes(bytesDone, 1)}`;
  const files = filesTotal > 0 ? `${filesDone} / ${count(filesTotal, 'file')}` : count(filesDone, 'file');
  return `${formatPercent(bytesDone, total, 1)}  ${files}  ${formatBytes(bytesDone, 1)} / ${formatBytes(total, 1)}`;
}

/** As `restic backup --json` ends. */
export function backupMessage(
  summary: SaveSummary,
  snapshotId: string | undefined,
  dryRun: boolean,
): Record<string, unknown> {
  return {
    message_type: 'summary',
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    dirs_new: summary.dirsNew,
    dirs_changed: summary.dirsChanged,
    dirs_unmodified: summary.dirsUnmodified,
    data_blobs: summary.dataBlobs,
    tree_blobs: summary.treeBlobs,
    data_added: summary.dataAdded,
    data_added_packed: summary.dataAddedPacked,
    total_files_processed: summary.totalFilesProcessed,
    total_bytes_processed: summary.totalBytesProcessed,
    total_duration: duration(summary) / 1000,
    backup_start: summary.startedAt.toISOString(),
    backup_end: summary.finishedAt.toISOString(),
    snapshot_id: snapshotId,
    dry_run: dryRun || undefined,
  };
}

/** What a backup did, in a few lines. */
export function backupLines(summary: SaveSummary, dryRun: boolean): string[] {
  const { filesNew, filesChanged, filesUnmodified, dirsNew, dirsChanged, dirsUnmodified } = summary;
  const added = dryRun ? 'would add' : 'added';
  const milliseconds = duration(summary);
  const rate = formatRate(summary.totalBytesProcessed, milliseconds);
  return [
    `files    ${filesNew} new, ${filesChanged} changed, ${filesUnmodified} unmodified`,
    `folders  ${dirsNew} new, ${dirsChanged} changed, ${dirsUnmodified} unmodified`,
    `${added}    ${formatBytes(summary.dataAdded)} (${formatBytes(summary.dataAddedPacked)} stored)`.replace(
      /^would add {4}/,
      'would add ',
    ),
    `read     ${count(summary.totalFilesProcessed, 'file')}, ${formatBytes(summary.totalBytesProcessed)} in ${formatDuration(milliseconds)}${rate === '' ? '' : `, ${rate}`}`,
  ];
}

/** Milliseconds. */
function duration({ startedAt, finishedAt }: SaveSummary): number {
  return finishedAt.getTime() - startedAt.getTime();
}
