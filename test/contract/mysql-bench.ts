/** A server of MySQL or MariaDB, and programs of either, between which dumps go to and fro. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { serverUser } from '../../examples/tienda/binaries.ts';
import { systemClock } from '../../src/clock.ts';
import type { Entry } from '../../src/domain/entry.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { ReadableSnapshot } from '../../src/domain/snapshot.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { mysql } from '../../src/sources/mysql/mysql.ts';
import type {
  CaptureOptions,
  DrillReport,
  Dump,
  ServerRestorePlan,
  ServerRestoreRequest,
  Source,
  SourceIo,
} from '../../src/sources/source.ts';
import { readableFolder, restoreTarget, writeEntries } from '../fixtures/entry-folder.ts';
import { toolsOf, type ServerProduct } from '../fixtures/mysql-products.ts';
import { MysqlServer } from '../fixtures/mysql-server.ts';

export const SOURCE_OPTIONS = {
  workingDirectory: '/',
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
} as const;

export interface DumpOptions {
  readonly user?: string;
  readonly password?: string;
  readonly more?: string;
  readonly runtime?: Runtime;
  readonly capture?: CaptureOptions;
  readonly onEntry?: (entry: Exclude<Entry, { kind: 'local-tree' }>) => Promise<void> | void;
}

export interface Dumped {
  /** The folder that the entries were written to. */
  readonly captured: string;
  readonly entries: readonly Exclude<Entry, { kind: 'local-tree' }>[];
  readonly findings: readonly Finding[];
  readonly snapshot: ReadableSnapshot;
}

type Restore = Partial<ServerRestoreRequest> & { dump: Dump; address: string };

export class MysqlBench implements AsyncDisposable {
  readonly server: MysqlServer;
  readonly tools: Runtime;
  /** For whatever a test writes. */
  readonly folder: string;

  private constructor(server: MysqlServer, tools: Runtime, folder: string) {
    this.server = server;
    this.tools = tools;
    this.folder = folder;
  }

  /** @param options of the server's command line, beside the usual ones */
  static async start(
    server: ServerProduct,
    tools: ServerProduct,
    options: readonly string[] = [],
  ): Promise<MysqlBench> {
    const folder = await mkdtemp(join(tmpdir(), 'respaldo-mysql-'));
    await chmod(folder, 0o755);
    return new MysqlBench(await MysqlServer.start(server, options), toolsOf(tools), folder);
  }

  io(findings: Finding[] = [], runtime = this.tools, signal = new AbortController().signal): SourceIo {
    return { runtime, signal, report: (finding) => findings.push(finding), expect: () => undefined };
  }

  source(address: string, password?: string): Source {
    return mysql.open(address, { ...SOURCE_OPTIONS, ...(password !== undefined && { password }) });
  }

  async dump(names: string, options: DumpOptions = {}): Promise<Dumped> {
    const { user, password, more, capture = { type: 'full' }, onEntry = () => undefined } = options;
    const findings: Finding[] = [];
    const captured = await mkdtemp(join(this.folder, 'captured-'));
    await chmod(captured, 0o755);
    const address = user === undefined ? this.server.address(names, more) : this.server.addressOf(user, names, more);
    const source = this.source(address, password);
    const io = this.io(findings, options.runtime);
    findings.push(...(await source.check(io)));
    const watched = async function* () {
      for await (const entry of source.capture(io, capture)) {
        if (entry.kind !== 'local-tree') await onEntry(entry);
        yield entry;
      }
    };
    const entries = (await writeEntries(watched(), captured)).filter((entry) => entry.kind !== 'local-tree');
    return { captured, entries, findings, snapshot: readableFolder(captured) };
  }

  plan(request: Restore): Promise<ServerRestorePlan> {
    return restorer().plan(whole(request), this.io());
  }

  async restore(request: Restore, runtime?: Runtime, signal?: AbortSignal): Promise<void> {
    const io = this.io([], runtime, signal);
    await restorer().carryOut(await restorer().plan(whole(request), io), whole(request), io);
  }

  drill(
    { snapshot, captured }: Pick<Dumped, 'snapshot' | 'captured'>,
    sql: string,
    place: string,
    runtime?: Runtime,
  ): Promise<DrillReport> {
    const { uid = 0, gid = 0 } = serverUser() ?? { uid: process.getuid?.(), gid: process.getgid?.() };
    const request = {
      snapshot,
      settings: { assertions: [{ sql }], timeoutSeconds: 60 },
      folder: place,
      user: { uid, gid },
      extract: (from: string, into: string) => restoreTarget(captured, into).extract(from, into),
      clock: systemClock,
      onPhase: () => undefined,
    };
    return (mysql.driller ?? expect.fail('MySQL is drilled')).drill(request, this.io([], runtime));
  }

  /** A database that somebody would miss. @returns what it holds */
  async precious(name: string): Promise<string> {
    await this.server.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
    await this.server.query(
      `CREATE TABLE precious (i INT); INSERT INTO precious VALUES (1); CREATE VIEW v AS SELECT * FROM precious;
       CREATE TRIGGER \`r\` BEFORE INSERT ON \`precious\` FOR EACH ROW SET NEW.i = 2; CREATE PROCEDURE p() SELECT 1;
       CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DISABLE DO DELETE FROM precious`,
      name,
    );
    return this.server.dump(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function restorer() {
  return mysql.server ?? expect.fail('MySQL has servers');
}

function whole(request: Restore): ServerRestoreRequest {
  return { inPlace: false, disconnect: false, createRoles: false, keepOld: false, ...request };
}
