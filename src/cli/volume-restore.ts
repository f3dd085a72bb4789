import { openContainerEngine, sourceKinds } from '../compose.ts';
import { Findings } from '../operations/findings.ts';
import { recorded } from '../operations/recording.ts';
import { planVolumeRestore, restoreVolume } from '../operations/restore-volume.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { showProgress } from './progress.ts';
import { withRecorder } from './session.ts';
import { count, formatBytes, formatDuration } from './units.ts';
import { tellFinding } from './views/finding.ts';
import { restoreProgress } from './views/restore.ts';
import { snapshotTitle } from './views/snapshot.ts';

/** What to restore into which volume. */
export interface VolumeWish {
  readonly snapshot: Snapshot;
  /** A folder of the snapshot. */
  readonly path?: string;
  readonly address: string;
  readonly dryRun: boolean;
}

/** A snapshot's files, into a volume of Docker that is new or empty. */
export async function restoreSnapshotToVolume(
  repository: Repository,
  { dryRun, ...request }: VolumeWish,
  invocation: Invocation,
): Promise<void> {
  const { output, clock, signal, exit } = invocation;
  const findings = new Findings((finding) => tellFinding(finding, 'restore', output));
  const ports = {
    repository,
    engine: await openContainerEngine(process.env),
    kinds: await sourceKinds(),
    onFinding: findings.add,
  };
  const plan = await planVolumeRestore(request, ports, signal);
  const { volume, isNew, entries, bytes, snapshot } = plan;
  output.note(`restoring ${snapshotTitle(snapshot)}`);
  output.note(`  ${count(entries, 'entry', 'entries')}, ${formatBytes(bytes)}`);
  output.note(`  into ${isNew ? 'the new volume' : 'the volume'} ${quoted(volume.name)}`);
  if (dryRun) {
    output.note('a dry run: nothing was changed');
    return;
  }
  const startedAt = clock.monotonic();
  const run = { operation: 'restore', subject: `volume ${volume.name}`, repository: repository.location } as const;
  const work = async (): Promise<void> => {
    using progress = showProgress(output, clock, restoreProgress);
    await restoreVolume(plan, { ...ports, onProgress: progress.update }, signal);
  };
  await withRecorder(invocation, (recorder) =>
    recorded(run, recorder, work, () => ({
      state: findings.serious ? 'incomplete' : 'succeeded',
      snapshot: snapshot.id,
      bytesProcessed: bytes,
    })),
  );
  output.json({ message_type: 'summary', volume: volume.name, entries, total_bytes: bytes });
  output.note(`restored into the volume ${quoted(volume.name)} in ${formatDuration(clock.monotonic() - startedAt)}`);
  if (findings.serious) exit(3);
}
