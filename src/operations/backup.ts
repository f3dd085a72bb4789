import type { Clock } from '../clock.ts';
import { both } from '../domain/both.ts';
import type { ContainerImage } from '../domain/container-image.ts';
import type { Entry } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { Plan, WantedType } from '../domain/plan.ts';
import { isIncomplete, type Snapshot } from '../domain/snapshot.ts';
import { nameOf } from '../domain/snapshot-name.ts';
import { BY_HOST_AND_PATHS, type GroupBy } from '../domain/snapshot-group.ts';
import { decideType, typeTag, type TypeDecision } from '../domain/strategy.ts';
import { toRespaldoError, type RespaldoError } from '../errors.ts';
import type { StoppedJournal } from '../journal/journal.ts';
import type { About, Repository, SavedItem, SaveProgress, SaveSummary } from '../repository/repository.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Source, SourceIo } from '../sources/source.ts';
import { Findings } from './findings.ts';
import { joined, standStill, type Stillness } from './standstill.ts';

/** One snapshot to take. */
export interface BackupRequest {
  readonly source: Source;
  readonly type: WantedType;
  /** Compare with this snapshot, whatever the strategy would choose; a `full` compares with none. */
  readonly parent?: Snapshot;
  /** The plan's name; absent for an ad-hoc backup. */
  readonly plan?: string;
  /** The user's own tags. */
  readonly tags: readonly string[];
  /** Recorded in the snapshot, as restic does. */
  readonly excludes: readonly string[];
  readonly hostname: string;
  readonly username: string;
  /** Name and version of the program that takes it: `respaldo 0.1.0`. */
  readonly program?: string;
  /** Read and hash everything, store nothing. */
  readonly dryRun: boolean;
  /** Take no snapshot that would hold exactly what its parent holds. */
  readonly skipIfUnchanged?: boolean;
  /** Files that are read at once. */
  readonly readConcurrency?: number;
  /** What the snapshot to compare with must have in common with this one. Default: host and paths. */
  readonly groupBy?: GroupBy;
}

export interface BackupPorts {
  /** Perhaps still being opened: the source is looked at meanwhile. */
  readonly repository: Repository | Promise<Repository>;
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Remembers what is stopped for the time of the backup. */
  readonly journal: StoppedJournal;
  /** Told of the containers that stand still from now on. */
  readonly onStandstill?: (names: readonly string[]) => void;
  /** Called once, before the first byte is read. */
  readonly onDecision?: (decision: TypeDecision) => void;
  /** `bytesTotal` is the source's own estimate where it gives one. */
  readonly onProgress?: (progress: SaveProgress) => void;
  /** Each finding once, as it is made; all of them are in the outcome too. */
  readonly onFinding?: (finding: Finding) => void;
  /** Told what became of each file and folder. */
  readonly onItem?: (item: SavedItem) => void;
  /** Count folders ahead, so that progress knows its end. Default: if there is anybody to tell it. */
  readonly estimate?: boolean;
}

export interface BackupOutcome {
  /** `incomplete`: the snapshot is stored but lacks something; exit 3. */
  readonly state: 'succeeded' | 'incomplete';
  readonly decision: TypeDecision;
  /** Absent for a dry run, and where nothing has changed and that was to be skipped. */
  readonly snapshot?: Snapshot;
  readonly summary: SaveSummary;
  /** Why what was stopped for the backup does not run again. The snapshot is as good as any. */
  readonly aftermath?: RespaldoError;
  /** The source's and the repository's. */
  readonly findings: readonly Finding[];
}

/** The snapshots that a plan means: one of each of its sources. */
export function backupsOf(
  plan: Plan,
  sources: readonly Source[],
  at: Pick<BackupRequest, 'hostname' | 'username' | 'program' | 'dryRun' | 'groupBy'>,
): readonly BackupRequest[] {
  return sources.map((source) => ({
    source,
    type: plan.type,
    ...(plan.name !== undefined && { plan: plan.name }),
    tags: plan.tags,
    ...(plan.skipIfUnchanged === true && { skipIfUnchanged: true }),
    ...(plan.readConcurrency !== undefined && { readConcurrency: plan.readConcurrency }),
    excludes: isTyped(source) ? [] : [...plan.selection.exclude, ...(plan.selection.iexclude ?? [])],
    ...at,
  }));
}

/**
 * Takes one snapshot of one source.
 * @throws RespaldoError what stops the source or the repository; nothing is listed then.
 */
export async function backup(request: BackupRequest, ports: BackupPorts, signal: AbortSignal): Promise<BackupOutcome> {
  const { source } = request;
  const findings = new Findings(ports.onFinding);
  const progress = new Expectation(ports.onProgress);
  const io: SourceIo = { runtime: ports.runtime, signal, report: findings.add, expect: progress.expect };

  await using ahead = new AsyncDisposableStack();
  const [checked, repository] = await both(lookAndPrepare(source, io, ahead), ports.repository);
  for (const finding of checked) findings.add(finding);

  const now = ports.clock.now();
  const history = await historyOf(request, now, repository, signal);
  const decision = chosenByHand(request) ?? decideType({ wanted: request.type, typed: isTyped(source), history, now });
  ports.onDecision?.(decision);
  const image = await imageOf(ports.runtime);

  const save = (still: Stillness | undefined) =>
    repository.save(
      watched(capture(request, io, decision, { image, previous: lastComplete(history) }, repository), still, findings),
      describe(request, decision, now),
      {
        onProgress: progress.tell,
        estimate: ports.onProgress !== undefined && ports.estimate !== false,
        onFinding: findings.add,
        sourceIncomplete: () => findings.serious,
        dryRun: request.dryRun,
        skipIfUnchanged: request.skipIfUnchanged ?? false,
        ...(request.readConcurrency !== undefined && { readConcurrency: request.readConcurrency }),
        ...(ports.onItem && { onItem: ports.onItem }),
      },
      signal,
    );
  const { saved, aftermath } = await inStandstill(request, ports, save, signal);
  const { snapshot, summary } = saved;
  return {
    state: findings.serious ? 'incomplete' : 'succeeded',
    decision,
    ...(snapshot && { snapshot }),
    summary,
    ...(aftermath && { aftermath }),
    findings: findings.list,
  };
}

/** Looks at the source, and lets it begin: it works while the repository is being opened. */
async function lookAndPrepare(source: Source, io: SourceIo, ahead: AsyncDisposableStack): Promise<readonly Finding[]> {
  const findings = await source.check(io);
  const prepared = await source.prepare?.(io);
  if (prepared !== undefined) ahead.use(prepared);
  return findings;
}

/** Saves while those stand still who would write. A dry run stops nobody. */
async function inStandstill<T>(
  { source, dryRun }: BackupRequest,
  { journal, onStandstill }: BackupPorts,
  save: (still: Stillness | undefined) => Promise<T>,
  signal: AbortSignal,
): Promise<{ readonly saved: T; readonly aftermath?: RespaldoError }> {
  const still = dryRun ? undefined : await standStill(source, journal, signal);
  if (still === undefined) return { saved: await save(still) };
  onStandstill?.(still.names);
  let saved: T;
  try {
    saved = await save(still);
  } catch (error) {
    throw joined(toRespaldoError(error), await still.end());
  }
  const aftermath = await still.end();
  return { saved, ...(aftermath && { aftermath }) };
}

/** What is read while somebody writes is of no one moment. */
async function* watched(
  entries: AsyncIterable<Entry>,
  still: Stillness | undefined,
  findings: Findings,
): AsyncGenerator<Entry> {
  yield* entries;
  for (const name of (await still?.disturbed()) ?? [])
    findings.add({
      severity: 'incomplete',
      code: 'standstill-broken',
      subject: name,
      message: `the container ${name} was stopped to be read, and somebody started it meanwhile: what is stored may be of no one moment; back it up again`,
    });
}

function chosenByHand({ parent, type }: BackupRequest): TypeDecision | undefined {
  if (parent === undefined || type === 'full') return undefined;
  return { type: type === 'auto' ? 'incremental' : type, parent, reason: 'named by --parent' };
}

/** Worth telling; not worth a backup. */
async function imageOf(runtime: Runtime): Promise<ContainerImage | undefined> {
  return runtime.image?.().catch(() => undefined);
}

function capture(
  { source, plan, hostname, tags, program }: BackupRequest,
  io: SourceIo,
  { type, parent, reason }: TypeDecision,
  { image, previous }: { readonly image: ContainerImage | undefined; readonly previous: Snapshot | undefined },
  repository: Repository,
): AsyncIterable<Entry> {
  const name = nameOf({ tags });
  return source.capture(io, {
    type,
    origin: {
      reason,
      hostname,
      ...(plan !== undefined && { plan }),
      ...(name !== undefined && { name }),
      ...(program !== undefined && { program }),
      ...(image && { image }),
    },
    ...(parent && { since: repository.readable(parent, io.signal) }),
    ...(previous && { previous: repository.readable(previous, io.signal) }),
  });
}

/** The newest one that lacks nothing. */
export function lastComplete(history: readonly Snapshot[]): Snapshot | undefined {
  const complete = history.filter((snapshot) => !isIncomplete(snapshot));
  return complete.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time)).at(-1);
}

/** What the snapshot's record says of it. */
export function describe(
  request: BackupRequest,
  { type, parent }: Pick<TypeDecision, 'type' | 'parent'>,
  time: Date,
): About {
  const tags = [
    ...request.tags,
    ...(request.plan === undefined ? [] : [`plan=${request.plan}`]),
    ...(isTyped(request.source) ? [typeTag(type)] : []),
  ];
  return {
    time,
    hostname: request.hostname,
    username: request.username,
    paths: request.source.paths,
    tags: [...new Set(tags)],
    excludes: request.excludes,
    ...(parent && { parent }),
  };
}

/**
 * Earlier snapshots of the same host with exactly the same paths (one that holds more is another backup), or of whatever
 * else the request groups by.
 */
export async function historyOf(
  { source, hostname, tags, groupBy = BY_HOST_AND_PATHS }: BackupRequest,
  now: Date,
  repository: Repository,
  signal: AbortSignal,
): Promise<readonly Snapshot[]> {
  const paths = new Set(source.paths);
  const filter = {
    ...(groupBy.host && { hosts: [hostname] }),
    ...(groupBy.paths && { paths: source.paths }),
    ...(groupBy.tags && { tags: [tags] }),
  };
  const found = await repository.snapshots(filter, signal);
  return found.filter(
    (snapshot) =>
      Date.parse(snapshot.time) <= now.getTime() && (!groupBy.paths || new Set(snapshot.paths).size === paths.size),
  );
}

function isTyped(source: Source): boolean {
  return source.typed === true;
}

/** Adds to the progress how much the source expects to send, which only it can know. */
class Expectation {
  #bytes = 0;
  readonly #onProgress: BackupPorts['onProgress'];

  constructor(onProgress: BackupPorts['onProgress']) {
    this.#onProgress = onProgress;
  }

  readonly expect = (bytes: number): void => {
    this.#bytes = bytes;
  };

  readonly tell = (progress: SaveProgress): void => {
    this.#onProgress?.({ ...progress, bytesTotal: Math.max(progress.bytesTotal, this.#bytes) });
  };
}
