import type { Change, Difference, DiffTally } from '../../repository/repository.ts';
import { quoted } from '../printable.ts';
import { formatBytes } from '../units.ts';

/** `M    /etc/hosts` */
export function changeLine({ path, modifier }: Change): string {
  return modifier.padEnd(5) + quoted(path);
}

export function changeMessage({ path, modifier }: Change): unknown {
  return { message_type: 'change', path, modifier };
}

/** As `restic diff` sums up. */
export function differenceLines({ changedFiles, added, removed }: Difference): string[] {
  const line = (title: string, of: (tally: DiffTally) => number): string =>
    `${title.padEnd(13)}${wide(of(added))} new, ${wide(of(removed))} removed`;
  return [
    `${line('Files:', ({ files }) => files)}, ${wide(changedFiles)} changed`,
    line('Dirs:', ({ dirs }) => dirs),
    line('Others:', ({ others }) => others),
    line('Data Blobs:', ({ dataBlobs }) => dataBlobs),
    line('Tree Blobs:', ({ treeBlobs }) => treeBlobs),
    `  Added:   ${formatBytes(added.bytes).padEnd(5)}`,
    `  Removed: ${formatBytes(removed.bytes).padEnd(5)}`,
  ];
}

/** As `restic diff --json` sums up; the snapshots as they were asked for. */
export function differenceMessage(
  source: string,
  target: string,
  { changedFiles, added, removed }: Difference,
): unknown {
  return {
    message_type: 'statistics',
    source_snapshot: source,
    target_snapshot: target,
    changed_files: changedFiles,
    added: tallyMessage(added),
    removed: tallyMessage(removed),
  };
}

function tallyMessage({ files, dirs, others, dataBlobs, treeBlobs, bytes }: DiffTally): unknown {
  return { files, dirs, others, data_blobs: dataBlobs, tree_blobs: treeBlobs, bytes };
}

function wide(count: number): string {
  return String(count).padStart(5);
}
