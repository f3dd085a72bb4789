import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { CaptureOptions, PortableFile, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';
import { BinlogSource } from './binlogs/source.ts';
import { recognise } from './detection/recognise.ts';
import { extraArguments } from './logical/extra-arguments.ts';
import { PhysicalSource } from './physical/source.ts';
import { isMysqlAddress, parseAddress, snapshotPaths, type BackupAddress } from './address.ts';

/** Databases of a MySQL or MariaDB server, as dumps. What talks to it is loaded when it is used. */
class MysqlSource implements Source {
  readonly kind = 'mysql';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #address: BackupAddress;
  readonly #options: SourceOptions;

  constructor(address: BackupAddress, options: SourceOptions) {
    this.paths = snapshotPaths(address, options.place);
    this.#address = address;
    this.#options = options;
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    const { checkDumps } = await import('./logical/check.ts');
    return checkDumps(this.#address, this.#options.password, io);
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { captureDumps } = await import('./logical/capture.ts');
    yield* captureDumps(this.#address, this.#options.password, io, options);
  }

  async *portable(io: SourceIo): AsyncIterable<PortableFile> {
    const { portableDumps } = await import('./logical/portable.ts');
    yield* portableDumps(this.#address, this.#options.password, io);
  }

  async *portableOf(snapshot: ReadableSnapshot): AsyncIterable<PortableFile> {
    const { portableDumpsOf } = await import('./logical/portable.ts');
    yield* portableDumpsOf(snapshot);
  }
}

export const mysql: SourceKind = {
  name: 'mysql',
  addresses:
    'a MySQL or MariaDB server (mysql://user@host/database; all files of a MariaDB server: mysql://user@host/?method=physical)',
  restoresAs: 'a MariaDB data directory that a server starts on',
  accepts: isMysqlAddress,
  open: (address, options) => {
    const parsed = parseAddress(address, options.place === undefined);
    if (parsed.method === 'physical') return new PhysicalSource(parsed, options);
    if (parsed.method === 'binlogs') return new BinlogSource(parsed, options);
    extraArguments(parsed.extraArguments);
    return new MysqlSource(parsed, options);
  },
  finder: {
    recognise,
    onHost: async (signal) => (await import('./detection/on-host.ts')).serversOfHost(signal),
  },
  server: {
    replays: true,
    databases: async (snapshot) => {
      await refuseStretch(snapshot);
      return (await (await import('./restore/plan.ts')).dumpOf(snapshot, undefined)).databases;
    },
    plan: async (request, io) => {
      if ('snapshot' in request.dump) await refuseStretch(request.dump.snapshot);
      return request.until === undefined
        ? (await import('./restore/plan.ts')).planServerRestore(request, io)
        : (await import('./binlogs/point-in-time.ts')).planPointInTime(request, io);
    },
    carryOut: async (plan, request, io) =>
      request.until === undefined
        ? (await import('./restore/carry-out.ts')).carryOutServerRestore(plan, request, io)
        : (await import('./binlogs/point-in-time.ts')).carryOutPointInTime(plan, request, io),
  },
  driller: {
    programs: ['mariadbd', 'mysqld'],
    neededBytes: async (snapshot) => {
      await refuseStretch(snapshot);
      return (await import('./drill/drill.ts')).neededBytes(snapshot);
    },
    drill: async (request, io) => (await import('./drill/drill.ts')).drill(request, io),
  },
  unpack: async (content, folder, io) => (await import('./physical/unpack.ts')).unpackFiles(content, folder, io),
  unpacks: ['xb'],
  restore: async (snapshot, into, io) => (await import('./physical/restore.ts')).restoreFiles(snapshot, into, io),
};

/** Loaded when it is asked, as all that reads facts. */
async function refuseStretch(snapshot: ReadableSnapshot): Promise<void> {
  await (await import('./binlogs/facts.ts')).refuseStretch(snapshot);
}
