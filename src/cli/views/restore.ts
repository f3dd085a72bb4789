import type { RestorePlan } from '../../operations/restore.ts';
import type { RestoreProgress } from '../../repository/repository.ts';
import { quoted } from '../printable.ts';
import type { ProgressView } from '../progress.ts';
import { count, formatBytes, formatDuration, formatPercent, formatRate } from '../units.ts';
import { paceText } from './pace.ts';
import { snapshotTitle } from './snapshot.ts';

/** As `restic restore` tells how far it is. */
export const restoreProgress: ProgressView<RestoreProgress> = {
  bytes: (state) => ({ done: state.bytesRestored, total: state.bytesTotal }),
  line: (state, pace) =>
    [
      `[${formatDuration(pace.elapsed())}] ${formatPercent(state.bytesRestored, state.bytesTotal, 1)} `,
      `${state.filesRestored} / ${count(state.filesTotal, 'entry', 'entries')} `,
      `${formatBytes(state.bytesRestored, 1)} / ${formatBytes(state.bytesTotal, 1)}${paceText(pace)}`,
    ].join(' '),
  message: (state, pace) => ({
    message_type: 'status',
    seconds_elapsed: Math.floor(pace.elapsed() / 1000) || undefined,
    percent_done: state.bytesTotal > 0 ? Math.min(1, state.bytesRestored / state.bytesTotal) : 0,
    ...counters(state),
  }),
};

/** As `restic restore --json` ends. */
export function restoreMessage(state: RestoreProgress, elapsed: number): Record<string, unknown> {
  return {
    message_type: 'summary',
    seconds_elapsed: Math.floor(elapsed / 1000) || undefined,
    ...counters(state),
  };
}

function counters(state: RestoreProgress): Record<string, unknown> {
  return {
    total_files: state.filesTotal || undefined,
    files_restored: state.filesRestored || undefined,
    files_skipped: state.filesSkipped || undefined,
    files_deleted: state.filesDeleted || undefined,
    total_bytes: state.bytesTotal || undefined,
    bytes_restored: state.bytesRestored || undefined,
    bytes_skipped: state.bytesSkipped || undefined,
  };
}

/** What a restore is going to do. @param expected milliseconds that it will take, where earlier runs tell. */
export function planLines(
  { request, makes, selected, target, fits }: RestorePlan,
  expected: number | undefined,
): string[] {
  const part = request.path === undefined || request.path === '/' ? '' : `${quoted(request.path)} of `;
  const what = makes === undefined ? '' : `, as ${makes}`;
  const there = target.exists ? (target.entries === 0 ? 'empty' : 'not empty') : 'new';
  const { include, exclude, iinclude = [], iexclude = [] } = request;
  const some = [include, exclude, iinclude, iexclude].some(({ length }) => length > 0)
    ? ', of which the patterns select some'
    : '';
  return [
    `restoring ${part}${snapshotTitle(request.snapshot)}`,
    `  to     ${quoted(request.target)} (${there}, ${formatBytes(target.freeBytes)} free)${what}`,
    `  holds  ${count(selected.files, 'file')} in ${count(selected.folders, 'folder')}, ${formatBytes(selected.bytes)}${some}`,
    ...(expected === undefined ? [] : [`  takes  about ${formatDuration(expected)}, as earlier restores did`]),
    ...(fits ? [] : ['  there may not be enough room']),
  ];
}

/** What it did. */
export function restoredLine(
  progress: RestoreProgress & { readonly filesVerified?: number },
  { request }: RestorePlan,
  elapsed: number,
): string {
  const { filesRestored, filesSkipped, filesDeleted = 0, filesVerified, bytesRestored } = progress;
  const skipped = filesSkipped > 0 ? `, left ${count(filesSkipped, 'entry', 'entries')} as they were` : '';
  const deleted = filesDeleted > 0 ? `, ${request.dryRun ? 'delete' : 'deleted'} ${filesDeleted}` : '';
  const what = `${count(filesRestored, 'entry', 'entries')} (${formatBytes(bytesRestored)})${skipped}${deleted}`;
  if (request.dryRun) return `a dry run: would restore ${what}`;
  const rate = formatRate(bytesRestored, elapsed);
  const readBack = filesVerified === undefined ? '' : `; read ${count(filesVerified, 'file')} back: all right`;
  return `restored and verified ${what} in ${formatDuration(elapsed)}${rate === '' ? '' : `, ${rate}`}${readBack}`;
}
