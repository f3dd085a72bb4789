import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTable } from '../../src/cli/table.ts';
import { formatBytes, formatPercent } from '../../src/cli/units.ts';
import type { BackupOutcome } from '../../src/operations/backup.ts';
import { formatSeconds } from './steps.ts';
import { fromHere, type Place } from './place.ts';

const RIGHT = { align: 'right' } as const;

/** What each backup read, what of it was new, and how fast it was. */
export function backupTable(backups: readonly (readonly [string, BackupOutcome])[]): string {
  const rows = backups.map(([title, { summary, decision }]) => {
    const ms = summary.finishedAt.getTime() - summary.startedAt.getTime();
    const read = summary.totalBytesProcessed;
    return [
      title,
      decision.type,
      formatBytes(read),
      formatBytes(summary.dataAdded),
      formatPercent(summary.dataAdded, read),
      formatBytes(summary.dataAddedPacked),
      formatSeconds(ms),
      `${formatBytes((read * 1000) / Math.max(ms, 1))}/s`,
    ];
  });
  const columns = ['backup', 'type'].map((title) => ({ title }));
  const numbers = ['protected', 'new', 'share', 'stored', 'time', 'speed'].map((title) => ({ title, ...RIGHT }));
  return renderTable([...columns, ...numbers], rows);
}

/** Protected bytes for each byte on disk. */
export async function deduplication(backups: readonly BackupOutcome[], repository: string): Promise<string> {
  const bytes = backups.reduce((sum, { summary }) => sum + summary.totalBytesProcessed, 0);
  const stored = await sizeOf(repository);
  return `${formatBytes(bytes)} protected by ${formatBytes(stored)} on disk, ${(bytes / stored).toFixed(1)} : 1`;
}

/** What to type to look into what was left behind. */
export function whatToTry(
  place: Place,
  backups: { readonly files: BackupOutcome; readonly server: BackupOutcome },
): string {
  const [repository, password] = [fromHere(place.repository), fromHere(place.passwordFile)];
  const server = backups.server.snapshot?.id.slice(0, 8) ?? 'latest';
  return `Look into it:
  export RESPALDO_REPOSITORY=${repository} RESPALDO_PASSWORD_FILE=${password}
  npx respaldo snapshots
  npx respaldo ls ${server} /data/global
  npx respaldo dump ${server} /respaldo.json
  npx respaldo check --read-data
  npx respaldo restore ${server} --target ${fromHere(join(place.folder, 'again'))}

Or with stock restic, for nothing is locked in:
  export RESTIC_REPOSITORY=${repository} RESTIC_PASSWORD_FILE=${password}
  restic snapshots
  restic check --read-data
  restic restore ${server} --target ${fromHere(join(place.folder, 'by-restic'))}`;
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
