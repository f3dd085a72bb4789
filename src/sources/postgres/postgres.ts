import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type {
  CaptureOptions,
  PortableFile,
  RestoreTarget,
  Source,
  SourceIo,
  SourceKind,
  SourceOptions,
} from '../source.ts';
import { recognise } from './detection/recognise.ts';
import { customsOf, isPostgresAddress, parseAddress, snapshotPaths, type BackupAddress } from './address.ts';

/** A whole PostgreSQL server by its files, or databases of it as dumps. What talks to it is loaded when it is used. */
class PostgresSource implements Source {
  readonly kind = 'postgres';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #address: BackupAddress;
  readonly #options: SourceOptions;
  readonly prepare?: NonNullable<Source['prepare']>;
  /** A server's own files are of no use without Respaldo, or a program like it. */
  readonly portable?: NonNullable<Source['portable']>;
  readonly portableOf?: NonNullable<Source['portableOf']>;

  constructor(address: BackupAddress, options: SourceOptions) {
    this.paths = snapshotPaths(address, options.place);
    this.#address = address;
    this.#options = options;
    if (address.method !== 'logical') return;
    this.prepare = async (io) => {
      const { beginAhead } = await import('./logical/begun-dumps.ts');
      return beginAhead(address, options.password, io);
    };
    this.portable = (io) => this.#portable(io);
    this.portableOf = portableOf;
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    if (this.#address.method === 'logical') {
      const { checkDumps } = await import('./logical/check.ts');
      return checkDumps(this.#address, this.#options.password, io);
    }
    requireHost(io.runtime);
    const { check } = await import('./check.ts');
    return check(this.#address, this.#options.password, io.signal);
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { password, acceptDamagedPages } = this.#options;
    if (this.#address.method === 'logical') {
      const { captureDumps } = await import('./logical/capture.ts');
      yield* captureDumps(this.#address, password, io, options);
      return;
    }
    const { capture } = await import('./capture.ts');
    yield* capture({ address: this.#address, password, acceptDamagedPages }, io, options);
  }

  async *#portable(io: SourceIo): AsyncIterable<PortableFile> {
    const { portableDumps } = await import('./logical/portable.ts');
    yield* portableDumps(this.#address, this.#options.password, io);
  }
}

async function* portableOf(snapshot: ReadableSnapshot): AsyncIterable<PortableFile> {
  const { portableDumpsOf } = await import('./logical/portable.ts');
  yield* portableDumpsOf(snapshot);
}

/** A base backup is a connection from here, which no tool in a container stands behind. */
function requireHost({ kind, place }: Runtime): void {
  if (kind === 'host') return;
  throw new RespaldoError('usage', `a server is not backed up by its files from within ${place}`, {
    hint: 'Use ?method=logical there, or leave the runtime out and give an address that can be reached from here.',
  });
}

export const postgres: SourceKind = {
  name: 'postgres',
  addresses:
    'a PostgreSQL server (postgresql://user@host:5432/?method=physical; databases of it as dumps: /name?method=logical)',
  restoresAs: 'a PostgreSQL data directory that a server starts on',
  accepts: isPostgresAddress,
  open: (address, options) =>
    new PostgresSource(parseAddress(address, customsOf(options.place === undefined)), options),
  finder: {
    recognise,
    onHost: async (signal) => (await import('./detection/on-host.ts')).serversOfHost(signal),
  },
  server: {
    dropsUnfinished: true,
    databases: async (snapshot) =>
      (await (await import('./logical/restore-plan.ts')).dumpOf(snapshot, undefined)).databases,
    plan: async (request, io) => (await import('./logical/restore-plan.ts')).planServerRestore(request, io),
    carryOut: async (plan, request, io) =>
      (await import('./logical/server-restore.ts')).carryOutServerRestore(plan, request, io),
  },
  driller: {
    programs: ['postgres', 'initdb', 'pg_ctl'],
    neededBytes: async (snapshot) => (await import('./drill/drill.ts')).neededBytes(snapshot),
    requirePrograms: async (snapshot, io) => (await import('./drill/drill.ts')).requirePrograms(snapshot, io),
    image: async (snapshot) => (await import('../server/snapshot-facts.ts')).recordedImage(snapshot),
    drill: async (request, io) => (await import('./drill/drill.ts')).drill(request, io),
  },
  restore: async (snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo) => {
    const { restore } = await import('./restore.ts');
    await restore(snapshot, into, io);
  },
};
