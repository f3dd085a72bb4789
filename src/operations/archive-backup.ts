/** A backup to archives: each database or folder captured once, and written to every place. */
import type { ArchivePlace, WrittenFile } from '../archive/archive.ts';
import { manifestKey, sendLeftovers, writeArchiveFile, type NewArchiveFile } from '../archive/index.ts';
import type { Clock } from '../clock.ts';
import type { Finding } from '../domain/finding.ts';
import { isError, RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Increments, PortableFile, Source, SourceIo } from '../sources/source.ts';
import type { Store } from '../stores/store.ts';
import { Findings } from './findings.ts';

/** What is written, and for whom. */
export interface ArchiveBackupRequest {
  readonly plan: string;
  readonly sources: readonly Source[];
  readonly places: readonly ArchivePlace[];
  readonly hostname: string;
  /** The same for all files. */
  readonly run: string;
  /** Name and version of the program: `respaldo 0.1.0`. */
  readonly program: string;
  /** Of folders only what has changed since the last run. Absent: everything. */
  readonly increments?: Pick<Increments, 'folder' | 'archives' | 'wanted'>;
}

export interface ArchiveBackupPorts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly onFinding?: (finding: Finding) => void;
  /** Told of each file of each place when it is there, or is not. */
  readonly onFile?: (file: WrittenFile) => void;
  /** Told of each failure after which a file is sent once more, without being captured again. */
  readonly onRetry?: (archive: string, error: RespaldoError) => void;
  /** Told which database or folder is read, and how many plain bytes have come of all. */
  readonly onProgress?: (progress: {
    readonly current: string;
    readonly bytes: number;
    readonly files: number;
  }) => void;
}

/** What one place has got. */
export interface ArchiveOutcome {
  readonly archive: string;
  readonly location: string;
  /** `incomplete`: all files are there, but a source could not be read as a whole. */
  readonly state: 'succeeded' | 'incomplete' | 'failed';
  readonly files: readonly Extract<WrittenFile, { manifest: unknown }>[];
  readonly failures: readonly { readonly database: string; readonly error: RespaldoError; readonly leftIn?: string }[];
}

/** A place that failed so often in a row is not tried with more files. */
const PATIENCE = 3;

/**
 * Each place gets every file whole, or not at all, whatever becomes of the others; what a source fails to give is missing
 * everywhere.
 * @throws RespaldoError `usage` for a source without portable copies, and what stops everything: `cancelled`, a source
 * that cannot be read at all
 */
export async function backUpToArchives(
  request: ArchiveBackupRequest,
  ports: ArchiveBackupPorts,
  signal: AbortSignal,
): Promise<readonly ArchiveOutcome[]> {
  const findings = new Findings(ports.onFinding);
  const io: SourceIo = { runtime: ports.runtime, signal, report: findings.add, expect: () => undefined };
  const begin = { time: ports.clock.now(), findings };
  requirePortable(request.sources);
  for (const source of request.sources) for (const finding of await source.check(io)) findings.add(finding);
  const tallies = request.places.map((place) => new Tally(place));
  for (const tally of tallies)
    for (const sent of await sendLeftovers(tally.place, signal)) tally.add(sent, sent.key, ports.onFile);
  for (const source of request.sources)
    for await (const file of source.portable?.(io, incrementsOf(request, begin.time, signal)) ?? [])
      await writeOne(file, source.kind, request, tallies, begin, ports, signal);
  return tallies.map((tally) => tally.outcome(findings.serious));
}

function incrementsOf(
  { increments, plan, run, places }: ArchiveBackupRequest,
  time: Date,
  signal: AbortSignal,
): Increments | undefined {
  if (increments === undefined) return undefined;
  const isThere = async (keys: Readonly<Record<string, string>>): Promise<boolean> => {
    for (const { archive, store } of places) {
      const key = keys[archive];
      if (key === undefined || (await isGone(key, store, signal))) return false;
    }
    return true;
  };
  return { ...increments, plan, run, time, isThere };
}

/** A store that cannot be asked now says nothing of it: writing to it will. */
async function isGone(key: string, store: Store, signal: AbortSignal): Promise<boolean> {
  try {
    await store.stat(manifestKey(key), signal);
    await store.stat(key, signal);
    return false;
  } catch (error) {
    throwIfAborted(signal);
    return isError(error, 'store-missing');
  }
}

function requirePortable(sources: readonly Source[]): void {
  const other = sources.find((source) => source.portable === undefined);
  if (other === undefined) return;
  throw new RespaldoError('usage', `${other.paths.join(', ')} has no portable copies that an archive could hold`, {
    hint: 'Archives hold folders, and databases as dumps (?method=logical). Let the plan go to a repository instead.',
  });
}

async function writeOne(
  file: PortableFile,
  source: string,
  { plan, hostname: host, run, program, increments }: ArchiveBackupRequest,
  tallies: readonly Tally[],
  { time, findings }: { readonly time: Date; readonly findings: Findings },
  ports: ArchiveBackupPorts,
  signal: AbortSignal,
): Promise<void> {
  const { name: database, extension } = file;
  const live = tallies.filter(({ isHopeless }) => !isHopeless);
  const [first] = tallies.flatMap(({ lastError }) => lastError ?? []);
  if (live.length === 0) throw first ?? new RespaldoError('internal', 'there is no place to write to');
  const before = Math.max(0, ...tallies.map(({ bytes }) => bytes));
  const files = Math.max(0, ...tallies.map(({ count }) => count));
  const written: NewArchiveFile = {
    content: file.content,
    name: { plan, database, host, time, extension },
    source,
    run,
    program,
    about: () => file.about(),
  };
  try {
    const results = await writeArchiveFile(
      written,
      live.map(({ place }) => place),
      {
        signal,
        onProgress: (bytes) => ports.onProgress?.({ current: database, bytes: before + bytes, files }),
        onRetry: ({ archive }, error) => ports.onRetry?.(archive, error),
      },
    );
    for (const result of results) live.find(({ place }) => place === result.place)?.add(result, database, ports.onFile);
    const wanted = increments?.archives.length ?? tallies.length;
    const isEverywhere = live.length === wanted && results.every(({ error }) => error === undefined);
    if (isEverywhere) await settled(file, results, findings);
  } catch (error) {
    throwIfAborted(signal);
    // The source said no to this one: the others are still to come.
    for (const tally of live) tally.miss(database, toRespaldoError(error), ports.onFile);
  }
}

/** The file is there, whether or not others can build upon it. */
async function settled(file: PortableFile, results: readonly WrittenFile[], findings: Findings): Promise<void> {
  try {
    await file.settle?.(Object.fromEntries(results.map(({ place: { archive }, key }) => [archive, key])));
  } catch (error) {
    const { message } = toRespaldoError(error);
    findings.add({ severity: 'note', code: 'not-remembered', subject: file.name, message });
  }
}

/** What a place has got until now. */
class Tally {
  readonly place: ArchivePlace;
  readonly #files: Extract<WrittenFile, { manifest: unknown }>[] = [];
  readonly #failures: { database: string; error: RespaldoError; leftIn?: string }[] = [];
  #inARow = 0;

  constructor(place: ArchivePlace) {
    this.place = place;
  }

  get isHopeless(): boolean {
    return this.#inARow >= PATIENCE;
  }

  get lastError(): RespaldoError | undefined {
    return this.#failures.at(-1)?.error;
  }

  /** Plain ones. */
  get bytes(): number {
    return this.#files.reduce((sum, { manifest }) => sum + manifest.plain.bytes, 0);
  }

  get count(): number {
    return this.#files.length;
  }

  add(file: WrittenFile, database: string, tell: ArchiveBackupPorts['onFile']): void {
    tell?.(file);
    if (file.error === undefined) {
      this.#files.push(file);
      this.#inARow = 0;
      return;
    }
    const { error, leftIn } = file;
    this.#failures.push({ database, error, ...(leftIn !== undefined && { leftIn }) });
    this.#inARow += 1;
  }

  /** A file that no place can have. */
  miss(database: string, error: RespaldoError, tell: ArchiveBackupPorts['onFile']): void {
    tell?.({ place: this.place, key: database, error });
    this.#failures.push({ database, error });
  }

  outcome(isIncomplete: boolean): ArchiveOutcome {
    const { archive, store } = this.place;
    return {
      archive,
      location: store.location,
      state: this.#failures.length > 0 ? 'failed' : isIncomplete ? 'incomplete' : 'succeeded',
      files: this.#files,
      failures: this.#failures,
    };
  }
}
