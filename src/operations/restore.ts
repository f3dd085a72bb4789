import type { Finding } from '../domain/finding.ts';
import { type Snapshot, totalsOf } from '../domain/snapshot.ts';
import { isError, RespaldoError } from '../errors.ts';
import type {
  ListedNode,
  OverwritePolicy,
  Repository,
  Restored,
  RestoredItem,
  RestoreOptions,
  RestoreProgress,
  RestoreSelection,
} from '../repository/repository.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { RestoreTarget, SourceIo, SourceKind } from '../sources/source.ts';
import { Findings } from './findings.ts';
import { databaseKind } from './kind.ts';
import { inspectTarget, type TargetState } from './target.ts';

export interface RestoreRequest extends RestoreSelection {
  readonly snapshot: Snapshot;
  /** An absolute path. */
  readonly target: string;
  /** Subtree of the snapshot; absent: all of it. */
  readonly path?: string;
  /** Absent: the target must be missing, empty, or hold an unfinished restore of the same snapshot. */
  readonly overwrite?: OverwritePolicy;
  /** Remove what the selection covers and the snapshot does not hold. Needs `overwrite`. */
  readonly delete?: boolean;
  readonly sparse?: boolean;
  /** Read what was written back, and compare it with the snapshot. */
  readonly verify?: boolean;
  readonly attributes?: RestoreOptions['attributes'];
  readonly owners?: boolean;
  /** Restore a database snapshot's files as they are stored, without making them usable. */
  readonly raw?: boolean;
  readonly dryRun: boolean;
}

export interface RestorePorts {
  readonly repository: Repository;
  readonly runtime: Runtime;
  /** Every kind of source. */
  readonly kinds: readonly SourceKind[];
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** Each finding as it is made; all of them are in the outcome too. */
  readonly onFinding?: (finding: Finding) => void;
  /** Told what became of each entry. */
  readonly onItem?: (item: RestoredItem) => void;
}

/** What a restore would do, as data: to be shown before anything is written. */
export interface RestorePlan {
  readonly request: RestoreRequest;
  /** `files`: the tree as it is stored. A kind of source: that one makes a usable database of it. */
  readonly as: string;
  /** What that database will be, for people: `a PostgreSQL data directory that a server starts on`. */
  readonly makes?: string;
  /**
   * What the request selects, before its patterns: regular files, folders, uncompressed bytes. Told by the snapshot's
   * record; counted where that tells nothing of it, or where the bytes may not fit, for then hard links count once. Of
   * a damaged snapshot, what could be counted.
   */
  readonly selected: { readonly files: number; readonly folders: number; readonly bytes: number };
  readonly target: TargetState;
  /** Whether the selected bytes fit beside what is there. */
  readonly fits: boolean;
}

export interface RestoreOutcome {
  /** `incomplete`: something could not be restored; exit 3. */
  readonly state: 'succeeded' | 'incomplete';
  readonly progress: RestoreProgress & Pick<Restored, 'filesVerified'>;
  readonly findings: readonly Finding[];
}

/**
 * Looks at snapshot and target, and writes nothing.
 * @throws RespaldoError `path-missing`, `target-unsafe`, `target-not-empty` for a database that would be mixed with
 *   other files.
 */
export async function planRestore(
  request: RestoreRequest,
  ports: RestorePorts,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const target = await inspectTarget(request.target);
  const kind = wantsDatabase(request)
    ? await databaseKind(request.snapshot, ports.repository, ports.kinds, signal)
    : undefined;
  if (kind && request.overwrite !== undefined && target.entries > 0) throw mixed(request.target);
  const told = recorded(request);
  const fits = told !== undefined && told.bytes <= target.freeBytes;
  const selected = fits ? told : await measure(request, ports.repository, signal);
  return {
    request,
    as: kind?.name ?? 'files',
    ...(kind?.restoresAs !== undefined && { makes: kind.restoresAs }),
    selected,
    target,
    fits: selected.bytes <= target.freeBytes,
  };
}

/** Carries the plan out: restored and durable, or thrown. */
export async function restore(plan: RestorePlan, ports: RestorePorts, signal: AbortSignal): Promise<RestoreOutcome> {
  const { request } = plan;
  const findings = new Findings(ports.onFinding);
  const kind = ports.kinds.find(({ name }) => name === plan.as);
  const progress =
    kind && !request.dryRun
      ? await restoreDatabase(plan, kind, ports, findings.add, signal)
      : await ports.repository.restore(
          request.snapshot,
          request.target,
          optionsOf(request, ports, findings.add),
          signal,
        );
  return { state: findings.serious ? 'incomplete' : 'succeeded', progress, findings: findings.list };
}

/** The kind of database decides where its files go, and what else it takes for a server to start on them. */
async function restoreDatabase(
  { request, selected }: RestorePlan,
  kind: SourceKind,
  ports: RestorePorts,
  report: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<RestoreProgress> {
  const { repository, runtime } = ports;
  const total = new Total(selected, ports.onProgress);
  const target: RestoreTarget = {
    folder: request.target,
    extract: async (path, into, without = []) => {
      const onProgress = total.part();
      const options = { ...optionsOf(request, ports, report), path, exclude: without, onProgress };
      onProgress(await repository.restore(request.snapshot, into, options, signal));
    },
  };
  const io: SourceIo = { runtime, signal, report, expect: () => undefined };
  await kind.restore(repository.readable(request.snapshot, signal), target, io);
  return total.done();
}

function optionsOf(
  request: RestoreRequest,
  { onProgress, onItem }: RestorePorts,
  onFinding: (finding: Finding) => void,
): RestoreOptions {
  return {
    ...selectionOf(request),
    dryRun: request.dryRun,
    onFinding,
    ...(onItem && { onItem }),
    ...(request.delete === true && { delete: true }),
    ...(request.sparse === true && { sparse: true }),
    ...(request.verify === true && { verify: true }),
    ...(request.attributes && { attributes: request.attributes }),
    ...(request.path !== undefined && { path: request.path }),
    ...(request.overwrite !== undefined && { overwrite: request.overwrite }),
    ...(request.owners !== undefined && { owners: request.owners }),
    ...(onProgress && { onProgress }),
  };
}

/** A part of a database is files; only all of it can be made to start. */
function wantsDatabase(request: RestoreRequest): boolean {
  const { path, raw } = request;
  const hasPatterns = Object.values(selectionOf(request)).some((patterns) => patterns.length > 0);
  return raw !== true && (path === undefined || path === '/') && !hasPatterns;
}

function selectionOf({ include, exclude, iinclude = [], iexclude = [] }: RestoreSelection): Required<RestoreSelection> {
  return { include, exclude, iinclude, iexclude };
}

/** To walk through all of a snapshot would take as long as much of its restore. */
function recorded({ snapshot: { summary }, path = '/' }: RestoreRequest): RestorePlan['selected'] | undefined {
  return summary === undefined || path !== '/' ? undefined : totalsOf(summary);
}

async function measure(
  { snapshot, path }: RestoreRequest,
  repository: Repository,
  signal: AbortSignal,
): Promise<RestorePlan['selected']> {
  const seen = new Set<string>();
  const selected = { files: 0, folders: 0, bytes: 0 };
  const count = (node: ListedNode): void => {
    if (node.type === 'dir') selected.folders += 1;
    else if (node.type === 'file') selected.files += 1;
    const linked = (node.links ?? 1) > 1 && node.inode !== undefined;
    const identity = linked ? `${String(node.deviceId)}:${String(node.inode)}` : undefined;
    if (identity === undefined || !seen.has(identity)) selected.bytes += node.size;
    if (identity !== undefined) seen.add(identity);
  };
  try {
    for await (const node of repository.list(snapshot, path === undefined ? {} : { path }, signal)) count(node);
  } catch (error) {
    // What is damaged is the restore's to name: it saves what can still be read.
    if (!isError(error, 'repository-damaged')) throw error;
  }
  return selected;
}

function mixed(folder: string): RespaldoError {
  return new RespaldoError('target-not-empty', `${folder} is not empty: a database is not restored among other files`, {
    hint: 'Files of another database would stay between and spoil it. Name an empty or new folder by --target.',
  });
}

const NOTHING: RestoreProgress = {
  filesTotal: 0,
  filesRestored: 0,
  filesSkipped: 0,
  bytesTotal: 0,
  bytesRestored: 0,
  bytesSkipped: 0,
};

/** Adds up the progress of several extractions into the whole. */
class Total {
  readonly #parts: RestoreProgress[] = [];
  readonly #selected: RestorePlan['selected'];
  readonly #tell: ((progress: RestoreProgress) => void) | undefined;

  constructor(selected: RestorePlan['selected'], tell: ((progress: RestoreProgress) => void) | undefined) {
    this.#selected = selected;
    this.#tell = tell;
  }

  part(): (progress: RestoreProgress) => void {
    const at = this.#parts.push(NOTHING) - 1;
    return (progress) => {
      this.#parts[at] = progress;
      this.#tell?.(this.now());
    };
  }

  now(): RestoreProgress {
    const done = this.done();
    return {
      ...done,
      filesTotal: Math.max(this.#selected.files, done.filesTotal),
      bytesTotal: Math.max(this.#selected.bytes, done.bytesTotal),
    };
  }

  /** What was extracted is all there was to do. */
  done(): RestoreProgress {
    const sum = (of: (part: RestoreProgress) => number) => this.#parts.reduce((total, part) => total + of(part), 0);
    const filesRestored = sum((part) => part.filesRestored);
    const filesSkipped = sum((part) => part.filesSkipped);
    const bytesRestored = sum((part) => part.bytesRestored);
    const bytesSkipped = sum((part) => part.bytesSkipped);
    return {
      filesTotal: filesRestored + filesSkipped,
      filesRestored,
      filesSkipped,
      bytesTotal: bytesRestored + bytesSkipped,
      bytesRestored,
      bytesSkipped,
    };
  }
}
