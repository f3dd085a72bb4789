/** One portable file of a run, written to every place of it. */
import type { ArchivePlace, WrittenFile } from '../archive/archive.ts';
import { writeArchiveFile, type NewArchiveFile } from '../archive/index.ts';
import type { Clock } from '../clock.ts';
import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { sourcePlace } from '../domain/source-place.ts';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Increments, PortableFile, Source, SourceIo } from '../sources/source.ts';
import type { Tally } from './archive-tally.ts';
import type { Findings } from './findings.ts';
import type { SourcesAhead } from './sources-ahead.ts';

/** What is written, and for whom. */
export interface ArchiveBackupRequest {
  readonly plan: string;
  readonly sources: readonly Source[];
  /** Those that have a snapshot already which is to be in the archives. */
  readonly captured?: ReadonlyMap<Source, CapturedSource>;
  readonly places: readonly ArchivePlace[];
  readonly hostname: string;
  /** The same for all files. */
  readonly run: string;
  /** Name and version of the program: `respaldo 0.1.0`. */
  readonly program: string;
  /** Of folders only what has changed since the last run. Absent: everything. */
  readonly increments?: Pick<Increments, 'folder' | 'archives' | 'wanted'>;
  /** Of the state that is archived. Absent: now. */
  readonly time?: Date;
  /** What cannot be read from a snapshot fails: no source is read. */
  readonly isSnapshotAll?: true;
  /** Whether a place is to get the file of a database or folder. Absent: every place gets all. */
  readonly isWanted?: (place: ArchivePlace, name: string) => boolean;
}

/** What a source was captured into. */
export interface CapturedSource {
  readonly snapshot: ReadableSnapshot;
  readonly isIncomplete: boolean;
}

export interface ArchiveBackupPorts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Those that are looked at already. They are taken over: whoever gets them disposes of them. */
  readonly ahead?: SourcesAhead;
  readonly onFinding?: (finding: Finding) => void;
  /** Told of each file of each place when it is there, or is not. */
  readonly onFile?: (file: WrittenFile) => void;
  /** Told of each failure after which a file is sent once more, without being captured again. */
  readonly onRetry?: (archive: string, error: RespaldoError) => void;
  /** Told why a source has to be read although it has a snapshot. */
  readonly onUnreadable?: (snapshot: string, error: RespaldoError) => void;
  /** Told which database or folder is read, and how many plain bytes have come of all. */
  readonly onProgress?: (progress: {
    readonly current: string;
    readonly bytes: number;
    readonly files: number;
  }) => void;
}

/** What all files of a run have in common. */
export interface Writing {
  readonly request: ArchiveBackupRequest;
  readonly ports: ArchiveBackupPorts;
  readonly io: SourceIo;
  readonly time: Date;
  readonly tallies: readonly Tally[];
  readonly findings: Findings;
  readonly increments?: Increments;
  /** How many plain bytes of each file have come. */
  readonly read: Map<PortableFile, number>;
}

/**
 * @param isRepeatable whether its content may be read again, for places that failed
 * @param before the file before: what becomes of this one is told after it. Its failure is its own
 * @returns what is wrong with the content; then it is nowhere
 * @throws RespaldoError `cancelled`, and where no place is left the error of one of them
 */
export async function writePortableFile(
  file: PortableFile,
  source: Source,
  isRepeatable: boolean,
  writing: Writing,
  before: Promise<unknown> = Promise.resolve(),
): Promise<RespaldoError | undefined> {
  const { request, ports, io, tallies, findings } = writing;
  const hopes = hopeful(tallies);
  const live = hopes.filter(({ place }) => request.isWanted?.(place, file.name) !== false);
  if (hopes.length > 0 && live.length === 0) return undefined;
  if (live.length === 0) {
    const [first] = tallies.flatMap(({ lastError }) => lastError ?? []);
    throw first ?? new RespaldoError('internal', 'there is no place to write to');
  }
  try {
    const all = live.map(({ place }) => place);
    let results = await writeTo(all, file, source, writing);
    const failed = results.filter(({ error, ...at }) => error !== undefined && !('leftIn' in at));
    if (isRepeatable && failed.length > 0) {
      for (const { place, error } of failed) if (error !== undefined) ports.onRetry?.(place.archive, error);
      const again = failed.map(({ place }) => place);
      results = [
        ...results.filter(({ place }) => !again.includes(place)),
        ...(await writeTo(again, file, source, writing)),
      ];
    }
    await before.catch(() => undefined);
    for (const result of results) live.find(({ place }) => place === result.place)?.add(result, file.name);
    const wanted = request.increments?.archives.length ?? tallies.length;
    const isEverywhere = live.length === wanted && results.every(({ error }) => error === undefined);
    if (isEverywhere) await settled(file, results, findings);
    return undefined;
  } catch (error) {
    await before.catch(() => undefined);
    throwIfAborted(io.signal);
    return toRespaldoError(error);
  }
}

function writeTo(
  places: readonly ArchivePlace[],
  file: PortableFile,
  source: Source,
  { request, ports, io, time, tallies, read }: Writing,
): Promise<readonly WrittenFile[]> {
  const { plan, hostname: host, run, program } = request;
  const { name: database, extension, content, disposable, fleeting } = file;
  const files = Math.max(0, ...tallies.map(({ count }) => count));
  const name = { plan, database, host, time, extension };
  const written: NewArchiveFile = {
    content,
    ...(disposable && { disposable }),
    ...(fleeting && { fleeting }),
    name,
    source: source.kind,
    run,
    program,
    about: () => {
      const about = file.about();
      // Of several servers of a plan that have databases of one name, each has its own files.
      return { ...about, facts: { path: sourcePlace(source.paths[0] ?? ''), ...about.facts } };
    },
  };
  return writeArchiveFile(written, places, {
    signal: io.signal,
    onProgress: (bytes) => {
      read.set(file, bytes);
      ports.onProgress?.({ current: database, bytes: sumOf(read.values()), files });
    },
    onRetry: ({ archive }, error) => ports.onRetry?.(archive, error),
  });
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

/** Places that may be tried with more files. */
export function hopeful(tallies: readonly Tally[]): readonly Tally[] {
  return tallies.filter(({ isHopeless }) => !isHopeless);
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
