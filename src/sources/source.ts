import type { Entry, Reading, Report, Selection } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot, SnapshotType } from '../domain/snapshot.ts';
import type { Runtime } from '../runtimes/runtime.ts';

/** What a source may use of the world. */
export interface SourceIo {
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Called when a size becomes known or is corrected: how many bytes a capture will yield, about. */
  readonly expect: (bytes: number) => void;
}

export interface CaptureOptions {
  readonly type: SnapshotType;
  /** The snapshot to compare with; absent for `full`. */
  readonly since?: ReadableSnapshot;
  /** The last complete snapshot of the same, whatever the type: its size tells whether this one is plausible. */
  readonly previous?: ReadableSnapshot;
}

/** Where a restore writes. */
export interface RestoreTarget {
  /** An absolute local folder. */
  readonly folder: string;
  /**
   * Writes the subtree at `path` of the snapshot into the local folder `into` (its content, not the folder's name),
   * verified and durable when it returns.
   * @param without what to leave out: absolute paths within that subtree.
   */
  extract(path: string, into: string, without?: readonly string[]): Promise<void>;
}

/** Settings of a source that an address cannot carry. */
export interface SourceOptions {
  /** The folder that relative addresses start from: an absolute path. */
  readonly workingDirectory: string;
  /** Resolved already; never logged. Absent: the source's own customs (`PGPASSWORD`, `~/.pgpass`). */
  readonly password?: string;
  readonly selection: Selection;
  readonly reading?: Reading;
  /** PostgreSQL: store the snapshot, as incomplete, although the server found damaged pages. */
  readonly acceptDamagedPages: boolean;
}

/** One thing that is protected. */
export interface Source {
  readonly kind: SourceKind['name'] | 'stream';

  /** The snapshot's paths: absolute ones for directories, `/postgresql/<host>:<port>` … With the host they identify it. */
  readonly paths: readonly string[];

  /** What would stop a backup: tools, privileges, versions, free space. Changes nothing. Throws what cannot work at all. */
  check(io: SourceIo): Promise<readonly Finding[]>;

  /**
   * A consistent set of entries. Ends normally only when the source has positively said that everything was sent;
   * throws otherwise. Leaving early releases locks, slots and backup mode.
   */
  capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry>;
}

/** A kind of source: `sources/index.ts` lists them, one line each. */
export interface SourceKind {
  readonly name: 'directory' | 'postgres';
  /** Whether the address is of this kind. */
  accepts(address: string): boolean;
  /** @throws RespaldoError `usage` that says what is wrong with the address. */
  open(address: string, options: SourceOptions): Source;
  /** Makes a snapshot of this kind usable again in an empty folder. */
  restore(snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo): Promise<void>;
}
