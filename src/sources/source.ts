import type { Clock } from '../clock.ts';
import type { ContainerImage } from '../domain/container-image.ts';
import type { DetectedServer } from '../domain/detection.ts';
import type { DrillCheck, DrillPhase, DrillSettings, DrillTimes } from '../domain/drill.ts';
import type { Entry, Reading, Report, Selection } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { WantedType } from '../domain/plan.ts';
import type { ReadableSnapshot, SnapshotType } from '../domain/snapshot.ts';
import type { SnapshotOrigin } from '../domain/snapshot-origin.ts';
import type { Timestamp } from '../domain/timestamp.ts';
import type { Workload } from '../domain/workload.ts';
import type { ContainerEngine, EngineContainer } from '../runtimes/container-engine.ts';
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
  /** What the source tells in the facts of its snapshot, where it keeps some; it changes nothing of what is captured. */
  readonly origin?: SnapshotOrigin;
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

/** What is restored into a running server: a snapshot, or a file that another tool wrote. */
export type Dump =
  /** `folder`: only this database of it (`/dump/shop`). */
  { readonly snapshot: ReadableSnapshot; readonly folder?: string } | DumpFile;

/** SQL as a server's own dump program, or another tool, has written it. */
export interface DumpFile {
  /** An absolute path; of what lies elsewhere its name. */
  readonly file: string;
  /** Absent: it is a file of this machine. */
  readonly content?: DumpContent;
  /** Absent: none are known. */
  readonly accounts?: ArchivedAccounts;
}

/** A portable file of accounts that lies beside dumps. */
export interface ArchivedAccounts {
  readonly content: DumpContent;
  /** Those that the dumps are of, as they are called there. */
  readonly databases: readonly string[];
}

/** A portable file as it lies in an archive, and what is said of it there. */
export interface ArchivedCopy {
  /** For people. */
  readonly file: string;
  readonly content: DumpContent;
  /** What it is a copy of. */
  readonly database: string;
  readonly extension: string;
  readonly versions: PortableAbout['versions'];
  readonly facts: PortableAbout['facts'];
}

/** What may be read again and again, and fails at its end where it is not what was stored. */
export interface DumpContent {
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface ServerRestoreRequest {
  readonly dump: Dump;
  /** Of the server, with the database if it is to be another one than the dump's. */
  readonly address: string;
  /** Resolved already; never logged. */
  readonly password?: string;
  /** Replace a database before the new one is whole: takes less room, and what was there is gone if it fails. */
  readonly inPlace: boolean;
  /** End the sessions of others in a database that is replaced. */
  readonly disconnect: boolean;
  /** Make the roles that the dump speaks of and the server lacks. */
  readonly createRoles: boolean;
  /** Keep the database that is replaced, under another name. */
  readonly keepOld: boolean;
  /** Drop what killed restores have left half made, as far as the server can tell that for sure. */
  readonly dropUnfinished?: boolean;
  /** Go on from the dump by the server's log, up to what comes right before a time, or a place in the log. */
  readonly until?: Date | string;
  /** Snapshots that hold stretches of logs. */
  readonly logs?: readonly ReadableSnapshot[];
}

/** A base that lies in an archive, from which the server's log leads on. */
export interface ArchivedRestoreRequest extends Omit<ServerRestoreRequest, 'dump' | 'until' | 'logs'> {
  /** Of one state of the server. */
  readonly copies: readonly [ArchivedCopy, ...ArchivedCopy[]];
  /** Absent: none are known. */
  readonly accounts?: ArchivedAccounts;
  readonly until: Date | string;
  /** What archives hold of logs; read only as far as it leads on from the base. */
  readonly logs: readonly ArchivedCopy[];
}

/** What a restore into a server would do, as data: to be shown before anything is touched. Sizes in bytes. */
export interface ServerRestorePlan {
  /** For people: `PostgreSQL at db:5432`. */
  readonly server: string;
  readonly serverVersion: string;
  /** Of the server that was dumped; absent where nobody knows. */
  readonly dumpVersion?: string;
  readonly databases: readonly PlannedDatabase[];
  readonly missingRoles: readonly string[];
  /** Databases that are being restored there, or that killed restores have left half made. */
  readonly unfinished: readonly string[];
  /** Of these, what is surely left of killed restores, and whether this one drops it; absent: nobody knows. */
  readonly abandoned?: readonly { readonly name: string; readonly bytes: number; readonly isDropped: boolean }[];
  /** What the databases took where they were dumped, or what the file takes. */
  readonly neededBytes: number;
  /** On the server's disk; absent where it cannot be seen from here. */
  readonly freeBytes?: number;
  /** What follows the dump. */
  readonly replay?: PlannedReplay;
  /** What stops it: a sentence each, with what to do. Empty: it can be done. */
  readonly obstacles: readonly string[];
}

/** How a log is replayed on what a dump holds. Places are `bin.000012:4711`, times ISO 8601. */
export interface PlannedReplay {
  readonly from: string;
  readonly to: string;
  /** Files of the log that it goes through. */
  readonly files: readonly string[];
  readonly transactions: number;
  /** Statements about accounts, and of databases that are not restored. */
  readonly leftOut: { readonly accounts: number; readonly others: number };
  /** Of the last transaction that is replayed; absent: there is none. */
  readonly lastTime?: string;
  readonly lastGtid?: string;
  /** The first transaction that is not; absent: the stored log ends there. */
  readonly stopsBefore?: {
    readonly position: string;
    readonly time: string;
    readonly gtid?: string;
    /** Its first statement, where the log holds it. */
    readonly statement?: string;
  };
}

export interface PlannedDatabase {
  /** In the dump. */
  readonly name: string;
  readonly target: string;
  /** The database of that name that is there. */
  readonly replaces?: { readonly bytes: number; readonly sessions: number };
}

/** A database that a snapshot holds a dump of. */
export interface DumpedDatabase {
  readonly name: string;
  /** In the snapshot: restores take it for the database. */
  readonly folder: string;
  /** On the disk of the server that was dumped. */
  readonly bytes: number;
}

/** Restores dumps into running servers. */
export interface ServerRestorer {
  /** It can go on from a dump by the server's log. */
  readonly replays?: true;
  /** It can tell databases that killed restores have left from those that are being made. */
  readonly dropsUnfinished?: true;
  /** What portable files of accounts say that they hold (`holds`), of which it makes accounts. Absent: of none. */
  readonly archivedAccounts?: string;
  /** What a snapshot holds. @throws RespaldoError `repository-unsupported` where it is no dump that it knows. */
  databases(snapshot: ReadableSnapshot): Promise<readonly DumpedDatabase[]>;
  /** Looks, and changes nothing. @throws RespaldoError what cannot work at all. */
  plan(request: ServerRestoreRequest, io: SourceIo): Promise<ServerRestorePlan>;
  /** Restored, compared with the dump's record and in place, or thrown. */
  carryOut(plan: ServerRestorePlan, request: ServerRestoreRequest, io: SourceIo): Promise<void>;
  /** The same of what archives hold. Absent: it cannot go on from there. */
  readonly archived?: {
    /** The extension of portable files that hold its log. */
    readonly log: string;
    plan(request: ArchivedRestoreRequest, io: SourceIo): Promise<ServerRestorePlan>;
    carryOut(plan: ServerRestorePlan, request: ArchivedRestoreRequest, io: SourceIo): Promise<void>;
  };
}

export interface DrillRequest {
  readonly snapshot: ReadableSnapshot;
  readonly settings: DrillSettings;
  /**
   * A local folder of the drill's own, empty, which whoever asks removes. Every program that is started has its
   * working folder below it, so that what a killed drill leaves running can be told from anything else.
   */
  readonly folder: string;
  /** Who programs run as; another one than who runs Respaldo where that is root. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** See {@link RestoreTarget.extract}; files belong to who runs Respaldo. */
  readonly extract: (path: string, into: string, without?: readonly string[]) => Promise<void>;
  readonly clock: Clock;
  /** Told when a phase begins. */
  readonly onPhase: (phase: DrillPhase) => void;
}

export interface DrillReport {
  /** What it was restored into, for people: `PostgreSQL 15.8 (/usr/lib/postgresql/15/bin)`. */
  readonly server: string;
  readonly times: DrillTimes;
  /** In the order they were made. */
  readonly checks: readonly DrillCheck[];
}

/** `own`: installed where the runtime is; `embedded`: they came with Respaldo, without the packages that go with them. */
export type ProgramOrigin = 'own' | 'embedded';

/** Rehearses restores into servers that nobody else knows, and that are gone afterwards. */
export interface Driller {
  /** The names of programs that it may leave running when it is killed. */
  readonly programs: readonly string[];
  /** How much room it takes, in bytes. */
  neededBytes(snapshot: ReadableSnapshot): Promise<number>;
  /**
   * Absent: the drill itself looks.
   * @returns whether the programs for this snapshot are the runtime's own, or only those that come with Respaldo.
   * @throws RespaldoError `tool-missing` where there are none.
   */
  requirePrograms?(snapshot: ReadableSnapshot, io: Pick<SourceIo, 'runtime' | 'signal'>): Promise<ProgramOrigin>;
  /** Of the container that the snapshot was taken in, as it tells itself. Its programs fit. */
  image?(snapshot: ReadableSnapshot): Promise<ContainerImage | undefined>;
  /**
   * Restores, starts, looks. The server is gone when this returns or throws; the source's own is never asked anything.
   * @throws RespaldoError `not-proven` if the snapshot does not restore, anything else for what kept it from being tried.
   */
  drill(request: DrillRequest, io: SourceIo): Promise<DrillReport>;
}

/** Settings of a source that an address cannot carry. */
export interface SourceOptions {
  /** The folder that relative addresses start from: an absolute path. */
  readonly workingDirectory: string;
  /** Resolved already; never logged. Absent: the source's own customs (`PGPASSWORD`, `~/.pgpass`). */
  readonly password?: string;
  readonly selection: Selection;
  readonly reading?: Reading;
  /** Where its tools run, such as `docker/shop-db`: part of what identifies it. Absent: on this host. */
  readonly place?: string;
  /** Store a database's snapshot, as incomplete, although damaged pages were found. */
  readonly acceptDamagedPages: boolean;
  /** Where volumes are; absent where addresses are only read. */
  readonly engine?: ContainerEngine;
}

/** A volume that files are restored into. */
export interface VolumeToFill {
  readonly name: string;
  /** What a snapshot of a volume holds its content in. */
  readonly content: string;
  /** Whether it is there. @throws RespaldoError `target-refused` if somebody who uses it runs. */
  exists(): Promise<boolean>;
  /**
   * Makes it, if it is not there, and lets `fill` write into it.
   * @param fill is given the absolute folder of this machine that the volume is, where it is one; else somebody who
   *   unpacks a tar archive into the volume, which is empty then.
   * @throws RespaldoError `target-not-empty`, and what `fill` throws: a volume that was made for it is removed then.
   */
  fill(fill: (into: string | UnpackArchive) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** @param top what becomes of the volume's own folder. */
export type UnpackArchive = (
  archive: AsyncIterable<Uint8Array>,
  top: { readonly mode: number; readonly uid: number; readonly gid: number; readonly mtime?: Timestamp },
) => Promise<void>;

/** Who has to be stopped while a source is captured. */
export interface Standstill {
  readonly engine: ContainerEngine;
  /** In the order in which they are started again. */
  readonly containers: readonly EngineContainer[];
}

/** One thing that is protected. */
export interface Source {
  /** The name of its kind, or `stream`. */
  readonly kind: string;

  /**
   * Its snapshots hold `/respaldo.json`, which says what they are (at least `kind`), and carry a tag with their type: they
   * are a database's. Absent: they are files.
   */
  readonly typed?: true;

  /** The snapshot's paths: absolute ones for directories, `/postgresql/<host>:<port>` … With the host they identify it. */
  readonly paths: readonly string[];

  /** What would stop a backup: tools, privileges, versions, free space. Changes nothing. Throws what cannot work at all. */
  check(io: SourceIo): Promise<readonly Finding[]>;

  /**
   * Begins with what a capture by the same `io` is going to read, where the check has found nothing against it: the
   * repository may still have to be opened. What is begun ends when it is disposed of, unless the capture goes on with
   * it, or before, when it would wait too long. Absent: there is nothing to begin with.
   */
  prepare?(io: SourceIo): Promise<AsyncDisposable>;

  /** Asked before the capture; absent: nobody. Stops nothing itself. */
  standstill?(): Promise<Standstill>;

  /**
   * A consistent set of entries. Ends normally only when the source has positively said that everything was sent;
   * throws otherwise. Leaving early releases locks, slots and backup mode.
   */
  capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry>;

  /**
   * The same as portable files, one for each database or folder; all of one consistent point where the source has such
   * points. The next file is asked for when the content of the one before has ended. Absent: it has no such copies.
   * @param increments makes copies of folders that hold only what has changed since the one before
   */
  portable?(io: SourceIo, increments?: Increments): AsyncIterable<PortableFile>;

  /**
   * Follows the log that the server writes, from behind the last stretch. Stretches follow one another without a gap;
   * what was lost on the server is told as a finding. Ends when it was stopped, or where it has to be begun anew; throws
   * what went wrong, after everything that had come was handed over. Absent: there is no such log.
   */
  follow?(io: SourceIo, options: FollowOptions): AsyncIterable<LogStretch>;

  /**
   * The same files made of a snapshot that {@link capture} gave, so that whoever wants both reads the source once. Their
   * content may be read again and again. Absent: the source itself has to be read again.
   * @param increments as for {@link portable}
   * @throws RespaldoError `repository-unsupported` for a snapshot that it does not know
   */
  portableOf?(snapshot: ReadableSnapshot, increments?: Increments): AsyncIterable<PortableFile>;

  /**
   * Why the source has to be read again although there is this snapshot of it, as a clause for people: what was archived
   * before does not end where the snapshot begins. Absent, or undefined: {@link portableOf} will do.
   */
  whyReadAgain?(snapshot: ReadableSnapshot, increments: Increments): Promise<string | undefined>;
}

/** How a log is followed. */
export interface FollowOptions {
  /** The last stretch that is stored. Absent: there is none yet. */
  readonly since?: ReadableSnapshot;
  /** Milliseconds after which what has come is handed over, at the latest. */
  readonly every: number;
  /** Bytes of a stretch, about: from then on another one begins. */
  readonly bytes: number;
  readonly origin?: SnapshotOrigin;
  /** No more is wanted than what has come by then. */
  readonly stop: AbortSignal;
}

/** A stretch of a log, to be stored as a snapshot before the next one is asked for. */
export interface LogStretch {
  /** Read once. */
  readonly entries: Iterable<Entry>;
  /** It holds all of the stretch before, and more: that one's snapshot is of no use any more. */
  readonly replacesLast: boolean;
  /** For people: `bin.000003:4 to bin.000003:549`. */
  readonly range: string;
  readonly transactions: number;
  readonly bytes: number;
  /** When the last of what it holds happened, by the server's clock; absent: nothing did. */
  readonly through?: Date;
}

/** Where and how it is remembered what portable copies of folders build upon. */
export interface Increments {
  /** Of this machine, for nothing else: an absolute path. Its content may be lost: then the next copies hold everything. */
  readonly folder: string;
  readonly plan: string;
  /** Of the copy that is made now. */
  readonly run: string;
  readonly time: Date;
  /** The names of all archives that it goes to. */
  readonly archives: readonly string[];
  readonly wanted: WantedType;
  /** Whether what a copy was stored as is still there, by the names of the archives. */
  readonly isThere: (keys: Readonly<Record<string, string>>) => Promise<boolean>;
}

/** What goes into one file of an archive: a copy that is of use without Respaldo. */
export interface PortableFile {
  /** What it is a copy of: a database's name, a folder's last name. */
  readonly name: string;
  /** Of the file's name, without the dot: `sql`, `tar`. */
  readonly extension: string;
  /**
   * The plain bytes, pulled once; each piece is the reader's own, unless it is fleeting. Ends normally only when the source has positively said
   * that everything was sent; throws otherwise. Leaving early releases what is held.
   */
  readonly content: AsyncIterable<Uint8Array>;
  /** Whoever yields the content never looks again at a piece that was taken: its memory may be given back at once. */
  readonly disposable?: true;
  /** A piece is good until the next one is asked for: its memory is used again. */
  readonly fleeting?: true;
  /** Asked after `content` has ended. */
  about(): PortableAbout;
  /**
   * Told when the file is whole in every place where it was wanted: others may build upon it. Absent: none does.
   * @param keys what it was stored as, by the names of the archives
   */
  settle?(keys: Readonly<Record<string, string>>): Promise<void>;
}

export interface PortableAbout {
  /** Programs and servers, by name: `{ 'mariadb-dump': '10.11.6', MariaDB: '10.11.6' }`. */
  readonly versions: Readonly<Record<string, string>>;
  /** What else a reader may need: a position in a log, a character set. */
  readonly facts: Readonly<Record<string, string>>;
  /** The command that takes the plain bytes from its standard input and restores them: `mysql shop`. */
  readonly restoreCommand: string;
  /** Of a file that holds only what has changed since another one, or upon which others build. */
  readonly chain?: PortableChain;
}

/** Files of the same `id` make a whole: those from level 0, which holds everything, to the one that is wanted. */
export interface PortableChain {
  readonly id: string;
  readonly level: number;
  /** The run that made the file which this one builds upon, one level lower; absent at level 0. */
  readonly parent?: string;
}

/** Finds servers that nobody has named. Only looks: nothing is run anywhere, and nobody logs in. */
export interface ServerFinder {
  /** The server that a container or pod is, by what is told of it. */
  recognise(workload: Workload): DetectedServer | undefined;
  /** The servers that run on this host, outside of containers. */
  onHost(signal: AbortSignal): Promise<readonly DetectedServer[]>;
}

/** A kind of source: `sources/index.ts` lists them, one line each. */
export interface SourceKind {
  /** Of no other kind; snapshots keep it as `kind` in `/respaldo.json`. */
  readonly name: string;
  /** What its addresses look like, for people who write one: `a volume of Docker (docker-volume:NAME)`. */
  readonly addresses: string;
  /** What a restore into a folder makes, for people; absent: files. */
  readonly restoresAs?: string;
  /** Whether the address is of this kind. */
  accepts(address: string): boolean;
  /** @throws RespaldoError `usage` that says what is wrong with the address. */
  open(address: string, options: SourceOptions): Source;
  /** Absent: it has no volumes to restore into. @throws RespaldoError `usage` that says what is wrong with the address */
  readonly volume?: (address: string, engine: ContainerEngine) => VolumeToFill;
  /** Absent: it has no servers to restore into. */
  readonly server?: ServerRestorer;
  /** Absent: nobody looks for it. */
  readonly finder?: ServerFinder;
  /** Absent: its snapshots are files, which are proven by restoring them. */
  readonly driller?: Driller;
  /**
   * Puts the content of a portable file, which is a folder, back into a folder that is there. Absent: its portable files
   * are no folders.
   * @param builds whether the file is one of several that build upon each other, and are put back one after the other
   */
  readonly unpack?: (
    content: AsyncIterable<Uint8Array>,
    folder: string,
    io: SourceIo,
    builds?: boolean,
  ) => Promise<void>;
  /** The extensions of portable files that can be unpacked. Absent: all of them. */
  readonly unpacks?: readonly string[];
  /** Makes a snapshot of this kind usable again in an empty folder. */
  restore(snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo): Promise<void>;
}
