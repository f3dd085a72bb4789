import type { Catalog, RunRecord } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import type { Plan } from '../domain/plan.ts';
import { proofOf, type Proof } from '../domain/proof.ts';
import { BY_HOST_AND_PATHS, groupSnapshots, type GroupKey } from '../domain/snapshot-group.ts';
import { isIncomplete, type Snapshot, type SnapshotType } from '../domain/snapshot.ts';
import { typeOf } from '../domain/strategy.ts';
import type { Repository } from '../repository/repository.ts';
import { latestBackup, planRetentionOf, type RetentionOutlook } from './retention.ts';
import { lateness, nextTime, type Lateness } from './schedule.ts';

/** How a plan fares, or what a host took of the same paths without one. Sizes in bytes. */
export interface Summary {
  /** Absent where there is none. */
  readonly plan?: string;
  /** Where there is no plan: what its snapshots have in common. */
  readonly group?: GroupKey;
  readonly repository: string;
  /** The newest complete snapshot; absent: there is none. */
  readonly lastSuccess?: LastSuccess;
  /** The last time that this machine ran it, as far as it remembers. */
  readonly lastRun?: RunRecord;
  readonly timetable?: TimetableState;
  readonly sizes: Sizes;
  /** Absent without a plan. */
  readonly retention?: RetentionOutlook;
}

export interface LastSuccess {
  readonly snapshot: Snapshot;
  readonly ageMs: number;
  readonly type: SnapshotType;
  readonly proof: Proof;
}

export interface TimetableState {
  readonly schedule: string;
  readonly timeZone?: string;
  /** Absent: never again. */
  readonly next?: Date;
  /** Since when a backup is missing. Absent: none is. */
  readonly late?: Lateness;
}

export interface Sizes {
  readonly snapshots: number;
  /** Of the source, when the newest snapshot was taken; absent where its record does not tell. */
  readonly source?: number;
  /** What restoring every one of the snapshots would take together. */
  readonly raw: number;
  /** What all of them take in the repository, deduplicated and compressed. */
  readonly stored: number;
}

export interface SummaryRequest {
  readonly plan: Plan & { readonly name: string };
  readonly hostname: string;
}

export interface SummaryPorts {
  readonly repository: Repository;
  readonly catalog: Pick<Catalog, 'runs'>;
  readonly clock: Clock;
}

/** Looks at a plan's snapshots and runs. Changes nothing. */
export async function summarize(
  { plan, hostname }: SummaryRequest,
  ports: SummaryPorts,
  signal: AbortSignal,
): Promise<Summary> {
  const { repository, catalog, clock } = ports;
  const retention = await planRetentionOf({ plan, hostname, evenIfFailing: false }, ports, signal);
  const judged = retention.sources.flatMap(({ verdicts }) => verdicts.map(({ snapshot }) => snapshot));
  const snapshots = judged.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const lastRun = await latestBackup(plan.name, repository.location, catalog);
  const lastSuccess = lastSuccessOf(snapshots, clock.now());
  const timetable = timetableOf(plan, lastSuccess?.snapshot, clock.now());
  return {
    plan: plan.name,
    repository: repository.location,
    ...(lastSuccess && { lastSuccess }),
    ...(lastRun && { lastRun }),
    ...(timetable && { timetable }),
    sizes: await sizesOf(snapshots, repository, signal),
    retention,
  };
}

/** The same of all snapshots in a repository that no plan is known for: of each host and set of paths. */
export async function summarizeGroups(
  { repository, clock }: Pick<SummaryPorts, 'repository' | 'clock'>,
  signal: AbortSignal,
): Promise<readonly Summary[]> {
  const summaries: Summary[] = [];
  for (const { key, snapshots } of groupSnapshots(await repository.snapshots({}, signal), BY_HOST_AND_PATHS)) {
    const lastSuccess = lastSuccessOf(snapshots, clock.now());
    const sizes = await sizesOf(snapshots, repository, signal);
    summaries.push({ group: key, repository: repository.location, ...(lastSuccess && { lastSuccess }), sizes });
  }
  return summaries;
}

function lastSuccessOf(snapshots: readonly Snapshot[], now: Date): LastSuccess | undefined {
  const snapshot = snapshots.findLast((candidate) => !isIncomplete(candidate));
  if (snapshot === undefined) return undefined;
  const ageMs = now.getTime() - Date.parse(snapshot.time);
  return { snapshot, ageMs, type: typeOf(snapshot), proof: proofOf(snapshot) };
}

function timetableOf(
  { schedule, timeZone }: Plan,
  newest: Snapshot | undefined,
  now: Date,
): TimetableState | undefined {
  if (schedule === undefined) return undefined;
  const timetable = { schedule, ...(timeZone !== undefined && { timeZone }) };
  const next = nextTime(timetable, now);
  const late = newest && lateness(timetable, new Date(newest.time), now);
  return { ...timetable, ...(next && { next }), ...(late && { late }) };
}

async function sizesOf(snapshots: readonly Snapshot[], repository: Repository, signal: AbortSignal): Promise<Sizes> {
  const newest = snapshots.at(-1)?.summary?.total_bytes_processed;
  const told = snapshots.flatMap(({ summary }) => (summary === undefined ? [] : [summary.total_bytes_processed]));
  const silent = snapshots.filter(({ summary }) => summary === undefined);
  const counted = silent.length === 0 ? 0 : (await repository.stats(silent, 'restore-size', signal)).bytes;
  const stored = snapshots.length === 0 ? 0 : (await repository.stats(snapshots, 'raw-data', signal)).bytes;
  return {
    snapshots: snapshots.length,
    ...(newest !== undefined && { source: newest }),
    raw: told.reduce((sum, bytes) => sum + bytes, counted),
    stored,
  };
}
