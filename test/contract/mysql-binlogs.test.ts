import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { ReadableSnapshot } from '../../src/domain/snapshot.ts';
import { openRuntime } from '../../src/runtimes/index.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import type { BinlogFacts } from '../../src/sources/mysql/binlogs/facts.ts';
import { mysql } from '../../src/sources/mysql/mysql.ts';
import type {
  ArchivedCopy,
  PortableFile,
  ServerRestorePlan,
  ServerRestoreRequest,
  SourceIo,
} from '../../src/sources/source.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';
import { readableFolder, writeEntries } from '../fixtures/entry-folder.ts';
import { HAS_MARIADB, HAS_MYSQL, MARIADB, MYSQL, toolsOf, type ServerProduct } from '../fixtures/mysql-products.ts';
import { MysqlServer } from '../fixtures/mysql-server.ts';

const LOG = 'method=binlogs';
const SECRET = 'a secret, 123';

describe.skipIf(!HAS_MARIADB)('The binary log of MariaDB', () => {
  behaves(MARIADB);
});
describe.skipIf(!HAS_MYSQL)('The binary log of MySQL', () => {
  behaves(MYSQL);
});

describe.skipIf(!HAS_MARIADB || !HAS_DOCKER)('The binary log of a server in a container', () => {
  it('is read there, with its own password, and replayed there', async () => {
    await using engine = await DockerEngine.start();
    await engine.importMariadbImage();
    await engine.mariadb('shop-db', SECRET, '--log-bin', '--server-id=1');
    const env = { DOCKER_HOST: engine.host, HOME: engine.folder };
    const runtime = await openRuntime({ kind: 'docker', container: 'shop-db', labels: [] }, env, systemClock);
    await using bench = await Bench.make(runtime);
    const ask = (sql: string) =>
      engine.docker('exec', '-e', `MYSQL_PWD=${SECRET}`, 'shop-db', 'mariadb', '-uroot', '-Ne', sql);
    await ask('CREATE DATABASE shop; CREATE TABLE shop.t (i INT) ENGINE=InnoDB');
    const snapshot = await bench.dumpOf(sourceAt('mysql:///'));
    await ask('INSERT INTO shop.t VALUES (1), (2)');
    const stretch = await bench.logOf(sourceAt(`mysql:///?${LOG}`));
    expect(stretch.facts.transactions).toBeGreaterThan(0);
    const request = { dump: { snapshot }, address: 'mysql:///', until: 'latest', logs: [stretch.snapshot] };
    await ask('DELETE FROM shop.t');
    const plan = await bench.plan(request);
    expect(plan.obstacles).toEqual([]);
    await bench.restore(plan, request);
    expect(await ask('SELECT COUNT(*) FROM shop.t')).toBe('2');
    expect(await engine.docker('exec', 'shop-db', 'ls', '/tmp')).toBe('');
  });
});

function behaves(product: ServerProduct): void {
  let server: MysqlServer;
  let bench: Bench;

  beforeAll(async () => {
    server = await MysqlServer.start(product);
    bench = await Bench.make(toolsOf(product));
  });

  const log = (since?: Stored) => bench.logOf(sourceAt(server.address('', LOG)), since);
  const dump = (databases: string) => bench.dumpOf(sourceAt(server.address(databases)));
  /** Of the log: `bin.000012:4711`. */
  const end = async (): Promise<string> => {
    const status = product.name === 'MySQL' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
    return (await server.query(status)).split('\t', 2).join(':');
  };

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  it('is stored file by file as the server has it, and goes on where it ended', async () => {
    await server.query('CREATE DATABASE shop; CREATE TABLE shop.t (i INT PRIMARY KEY, x LONGTEXT) ENGINE=InnoDB');
    const first = await log();
    await server.query("INSERT INTO shop.t VALUES (1, 'a'), (2, REPEAT('b', 100000))");
    const second = await log(first);
    expect(first.facts.chain.begins).toBe(true);
    expect(second.facts.chain).toEqual({ id: first.facts.chain.id });
    expect(second.facts.from.file > first.facts.to.file).toBe(true);
    expect(second.facts.transactions).toBe(1);
    for (const { folder, facts } of [first, second])
      for (const { file, path } of facts.parts)
        expect(await readFile(join(folder, path))).toEqual(await readFile(join(server.folder, file)));
    const idle = await log(second);
    expect(idle.facts).toMatchObject({ transactions: 0, gtids: { before: second.facts.gtids.after } });
    expect(idle.findings).toEqual([]);
  });

  it('leads from a dump to right before a DROP TABLE, whatever the format of its statements', async () => {
    await server.query(
      `CREATE DATABASE IF NOT EXISTS shop; CREATE TABLE IF NOT EXISTS shop.t (i INT PRIMARY KEY, x LONGTEXT) ENGINE=InnoDB;
       CREATE DATABASE p CHARACTER SET utf8mb4; CREATE DATABASE q; CREATE TABLE p.rows_ (i INT PRIMARY KEY AUTO_INCREMENT, x LONGTEXT) ENGINE=InnoDB;
       CREATE TABLE p.isam (i INT) ENGINE=MyISAM; CREATE TABLE q.t (i INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO p.rows_ (x) VALUES ('base')`,
    );
    const base = await dump('p,q');
    await server.query(
      `SET binlog_format = ROW; INSERT INTO rows_ (x) VALUES ('row'), (REPEAT('long', 50000)); INSERT INTO isam VALUES (1);
       BEGIN; INSERT INTO q.t VALUES (1); UPDATE rows_ SET x = UUID() WHERE i = 1; SAVEPOINT s; INSERT INTO q.t VALUES (2);
       ROLLBACK TO s; INSERT INTO shop.t VALUES (77, 'of another database'); COMMIT;
       SET binlog_format = STATEMENT; SET @v = 'variable'; INSERT INTO rows_ (x) SELECT CONCAT(x, @v) FROM rows_ WHERE i = 2;
       INSERT INTO rows_ (x) VALUES ('ñandú 😀 '' \\\\ ;;'), (REPEAT('/*!*/;\\n', 3));
       ALTER TABLE isam ADD COLUMN more INT DEFAULT 5; CREATE TABLE made (i INT PRIMARY KEY); INSERT INTO made VALUES (3);
       CREATE USER somebody@localhost; SET binlog_format = ROW;
       XA START 'x'; INSERT INTO made VALUES (4); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'`,
      'p',
    );
    const was = { p: await server.dump('p'), q: await server.dump('q') };
    const place = await end();
    await server.query('DROP TABLE rows_; DELETE FROM q.t', 'p');
    const logs = [await log()];

    const request = { dump: { snapshot: base }, address: server.address(), until: place, logs: snapshotsOf(logs) };
    const plan = await bench.plan(request);
    expect(plan.obstacles).toEqual([]);
    expect(plan.replay).toMatchObject({
      to: place,
      leftOut: { accounts: 1 },
      stopsBefore: { position: place, statement: expect.stringContaining('DROP TABLE') as string },
    });
    const [file = '', offset = ''] = place.split(':');
    const inside = await bench.plan({ ...request, until: `${file}:${String(Number(offset) - 1)}` });
    expect(inside.replay?.transactions).toBe((plan.replay?.transactions ?? 0) - 1);
    await bench.restore(plan, request);
    expect({ p: await server.dump('p'), q: await server.dump('q') }).toEqual(was);
    expect((await server.databases()).filter((name) => name.startsWith('p_before_'))).toHaveLength(1);
    await server.query('DROP DATABASE p; DROP DATABASE q; DROP USER somebody@localhost');
    for (const name of await server.databases())
      if (name.includes('_before_')) await server.query(`DROP DATABASE ${name}`);
  });

  it('is refused for what it does not lead to, before anything is touched', async () => {
    await server.query('CREATE DATABASE r; CREATE TABLE r.t (i INT) ENGINE=InnoDB');
    const early = await end();
    await server.query('INSERT INTO r.t VALUES (1)');
    const base = await dump('r');
    await server.query('INSERT INTO r.t VALUES (2)');
    const stretch = await log();
    const ask = async (until: Date | string, logs = [stretch.snapshot]): Promise<string> =>
      (await bench.plan({ dump: { snapshot: base }, address: server.address(), until, logs })).obstacles.join();
    expect(await ask('latest')).toBe('');
    expect(await ask(early)).toContain('taken after');
    expect(await ask(new Date('2020-01-01'))).toContain('taken after');
    expect(await ask(new Date('2100-01-01'))).toContain('is not covered');
    expect(await ask('latest', [])).toContain('No stored binary log leads on');
    await expect(ask('yesterday')).rejects.toMatchObject({ code: 'usage' });
    // What would be done twice to a database that is not restored.
    await server.query(
      'SET binlog_format = STATEMENT; CREATE DATABASE bystander; CREATE TABLE bystander.t (i INT)',
      'r',
    );
    await server.query('SET binlog_format = STATEMENT; INSERT INTO bystander.t VALUES (1)', 'r');
    expect(await ask('latest', [stretch.snapshot, (await log(stretch)).snapshot])).toContain('speaks of "bystander"');
    const { path } = stretch.facts.parts.at(-1) ?? { path: '' };
    const bytes = await readFile(join(stretch.folder, path));
    for (const [what, damaged] of [
      ['cut', bytes.subarray(0, bytes.length - 7)],
      ['flipped', Buffer.from(bytes.map((byte, i) => (i === bytes.length - 60 ? byte ^ 1 : byte)))],
    ] as const) {
      await writeFile(join(stretch.folder, path), damaged);
      await expect(ask('latest'), what).rejects.toMatchObject({ code: 'source-damaged' });
    }
  });

  it('says that there is a gap where the server has purged what was not stored, or begun anew', async () => {
    const first = await log();
    await server.query(
      'CREATE DATABASE gap; FLUSH BINARY LOGS; CREATE TABLE gap.t (i INT) ENGINE=InnoDB; FLUSH BINARY LOGS',
    );
    const newest = (await server.query('SHOW BINARY LOGS')).split('\n').at(-1)?.split('\t')[0] ?? '';
    await server.query(`PURGE BINARY LOGS TO '${newest}'`);
    const second = await log(first);
    expect(second.findings).toMatchObject([{ code: 'binlog-gap', prominent: true }]);
    expect(second.facts.chain).toMatchObject({ broken: { after: first.facts.to } });
    expect(second.facts.chain.id).not.toBe(first.facts.chain.id);

    // What was stored to its end may go.
    await server.query(`FLUSH BINARY LOGS`);
    const third = await log(second);
    const now = (await server.query('SHOW BINARY LOGS')).split('\n').at(-1)?.split('\t')[0] ?? '';
    await server.query(`PURGE BINARY LOGS TO '${now}'`);
    expect((await log(third)).findings).toEqual([]);

    await server.query(product.name === 'MySQL' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
    expect((await log(third)).facts.chain.broken).toBeDefined();
  });

  it('asks for the privileges that it takes, and for a log that is kept', async () => {
    await server.query("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'secret'");
    const check = (user: string, password: string): Promise<unknown> =>
      sourceAt(`${server.addressOf(user)}?${LOG}`, password).check(bench.io([]));
    await expect(check('poor', 'wrong')).rejects.toMatchObject({ code: 'source-refused' });
    await expect(check('poor', 'secret')).rejects.toMatchObject({
      code: 'source-refused',
      hint: expect.stringContaining('REPLICATION SLAVE') as string,
    });
    await server.query(
      `GRANT REPLICATION SLAVE, ${product.name === 'MySQL' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR'} ON *.* TO poor@'127.0.0.1'`,
    );
    expect(await check('poor', 'secret')).toMatchObject([{ code: 'binlog-not-rotated' }]);
    // Without RELOAD, the file that is being written is stored in parts.
    const source = sourceAt(`${server.addressOf('poor')}?${LOG}`, 'secret');
    const one = await bench.logOf(source);
    await server.query('CREATE DATABASE IF NOT EXISTS parts; CREATE TABLE parts.t (i INT)');
    const two = await bench.logOf(source, one);
    expect(two.facts.parts).toMatchObject([{ from: one.facts.to.offset, closed: false }]);
    expect(two.facts.formatEvent).toBeDefined();
    const [head, rest] = await Promise.all(
      [one, two].map(({ folder, facts }) => readFile(join(folder, facts.parts.at(-1)?.path ?? ''))),
    );
    const file = await readFile(join(server.folder, one.facts.to.file));
    // The server marks the file that it writes.
    const joined = Buffer.concat([head ?? file, rest ?? file]);
    file[21] = joined[21] ?? 0;
    expect(joined).toEqual(file);
    expect(bench.commands.filter((command) => command.includes('secret'))).toEqual([]);
    expect(bench.commands.filter((command) => command.includes('--raw'))).not.toEqual([]);
  });

  it('leads on from a base in archives too, whose files are parts of what the server wrote', async () => {
    await server.query(
      `CREATE USER rare@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE, ${product.name === 'MySQL' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR'} ON *.* TO rare@'127.0.0.1';
       CREATE DATABASE a1; CREATE DATABASE a2; CREATE TABLE a1.t (i INT PRIMARY KEY) ENGINE=InnoDB; CREATE TABLE a2.t (i INT PRIMARY KEY) ENGINE=InnoDB`,
    );
    const source = sourceAt(`${server.addressOf('rare')}?${LOG}`, 'secret');
    const one = await bench.logOf(source);
    const portable = await bench.copiesOf(sourceAt(server.address('a1,a2')).portable?.(bench.io([])));
    // The accounts are beside them, and of no database.
    const base = portable.filter(({ facts }) => facts['holds'] === undefined);
    await server.query('INSERT INTO a1.t VALUES (1); INSERT INTO a2.t VALUES (2)');
    const two = await bench.logOf(source, one);
    const place = await end();
    await server.query('DROP TABLE a1.t; DROP TABLE a2.t');
    const three = await bench.logOf(source, two);
    expect(two.facts.parts[0]?.from).toBeGreaterThan(4);
    const logs = [];
    for (const { snapshot } of [three, one, two]) logs.push(...(await bench.copiesOf(source.portableOf?.(snapshot))));

    const [first, ...others] = base;
    const archived = mysql.server?.archived;
    if (first === undefined || archived === undefined) throw new Error('there is nothing');
    const request = { ...DEFAULTS, copies: [first, ...others] as const, address: server.address(), until: place, logs };
    const plan = await archived.plan(request, bench.io([]));
    expect(plan).toMatchObject({ obstacles: [], replay: { transactions: 2, to: place } });
    const gap = logs.filter(({ facts }) => facts['from']?.endsWith(`:${String(two.facts.from.offset)}`) !== true);
    expect((await archived.plan({ ...request, logs: gap }, bench.io([]))).obstacles).toEqual([
      expect.stringMatching(/No stored binary log leads on|is not covered/) as string,
    ]);
    await archived.carryOut(plan, request, bench.io([]));
    expect([await server.query('SELECT i FROM a1.t'), await server.query('SELECT i FROM a2.t')]).toEqual(['1', '2']);
    await server.query("DROP USER rare@'127.0.0.1'");
  });

  it('leads on under another name beside the database that goes on, unless something would act on that', async () => {
    await server.query(
      `CREATE DATABASE live1; CREATE TABLE live1.t (i INT PRIMARY KEY, x TEXT) ENGINE=InnoDB; CREATE TABLE live1.audit (i INT) ENGINE=InnoDB;
       CREATE TRIGGER live1.told AFTER INSERT ON live1.t FOR EACH ROW INSERT INTO live1.audit VALUES (NEW.i)`,
    );
    const base = await dump('live1');
    await server.query(
      `SET binlog_format = ROW; INSERT INTO t VALUES (1, 'one'), (2, 'two'); ALTER TABLE t ADD COLUMN y INT DEFAULT 7;
       CREATE TABLE made (i INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO made VALUES (3); UPDATE t SET x = 'three' WHERE i = 1;
       CREATE TABLE gone (i INT); DROP TABLE gone; TRUNCATE made; INSERT INTO live1.made VALUES (4)`,
      'live1',
    );
    const state = async (name: string): Promise<unknown> => [
      await server.query('SELECT * FROM t ORDER BY i', name),
      await server.query('SELECT * FROM made; SELECT COUNT(*) FROM audit', name),
      await server.query('SHOW TABLES', name),
    ];
    const was = await state('live1');
    const place = await end();
    await server.query('SET binlog_format = ROW; DELETE FROM live1.t; ALTER TABLE live1.t DROP COLUMN x');
    const now = await state('live1');
    const logs = snapshotsOf([await log()]);
    const request = { dump: { snapshot: base }, address: server.address('other1'), until: place, logs };
    const plan = await bench.plan(request);
    expect(plan.obstacles).toEqual([]);
    await bench.restore(plan, request);
    expect(await state('other1')).toEqual(was);
    expect(await state('live1')).toEqual(now);

    const refused = await bench.plan({ ...request, until: 'latest' });
    expect(refused.obstacles).toEqual([
      expect.stringMatching(/cannot become "other1".*ALTER TABLE live1\.t/) as string,
    ]);
    const odd = await bench.plan({ ...request, address: server.address('o->x') });
    expect(odd.obstacles).toEqual([expect.stringContaining('takes only names of letters') as string]);
  });

  it('is followed while the server is written to, ends and starts anew', async () => {
    const stop = new AbortController();
    const source = sourceAt(server.address('', LOG));
    const follow = async (since: Stored | undefined, want: number): Promise<Stored[]> => {
      const found: Stored[] = [];
      const wanted = { every: 50, bytes: 1_000_000, stop: stop.signal, ...(since && { since: since.snapshot }) };
      if (source.follow === undefined) throw new Error('nothing to follow');
      for await (const { entries, replacesLast } of source.follow(bench.io([]), wanted)) {
        const stored = await bench.store(entries);
        if (replacesLast) found.pop();
        found.push(stored);
        if (found.reduce((sum, { facts }) => sum + facts.transactions, 0) >= want) break;
      }
      return found;
    };
    const base = await log();
    await server.query('CREATE DATABASE live; CREATE TABLE live.t (i INT PRIMARY KEY) ENGINE=InnoDB');
    const first = await follow(base, 2);
    const following = follow(first.at(-1), 1e9);
    const lost = expect(following).rejects.toMatchObject({ code: 'source-lost' });
    await server.kill();
    await lost;
    await server.resume();
    await server.query('INSERT INTO live.t VALUES (1); FLUSH BINARY LOGS; INSERT INTO live.t VALUES (2)');
    const second = await follow(first.at(-1), 2);
    expect([...first, ...second].map(({ facts }) => facts.chain.id)).toEqual(
      [...first, ...second].map(() => base.facts.chain.id),
    );
    const ending = follow(second.at(-1), 1e9);
    stop.abort();
    expect(await ending).toEqual([]);
  });
}

interface Stored {
  readonly folder: string;
  readonly snapshot: ReadableSnapshot;
  readonly facts: BinlogFacts;
  readonly findings: readonly Finding[];
}

/** Takes snapshots of a server into folders. */
class Bench implements AsyncDisposable {
  readonly #folder: string;
  readonly #runtime: Runtime;
  /** What was run, with its arguments. */
  readonly commands: string[] = [];

  private constructor(runtime: Runtime, folder: string) {
    this.#runtime = {
      ...{ kind: runtime.kind, place: runtime.place },
      run: (command, signal) => {
        this.commands.push(command.argv.join(' '));
        return runtime.run(command, signal);
      },
    };
    this.#folder = folder;
  }

  static async make(runtime: Runtime): Promise<Bench> {
    return new Bench(runtime, await mkdtemp(join(tmpdir(), 'respaldo-binlogs-')));
  }

  io(findings: Finding[]): SourceIo {
    const report = (finding: Finding): void => void findings.push(finding);
    return {
      runtime: this.#runtime,
      signal: new AbortController().signal,
      report,
      expect: () => undefined,
    };
  }

  async logOf(source: ReturnType<typeof sourceAt>, since?: Stored): Promise<Stored> {
    const findings: Finding[] = [];
    const options = { type: 'incremental' as const, ...(since && { previous: since.snapshot }) };
    return this.store(source.capture(this.io(findings), options), findings);
  }

  async store(
    entries: Parameters<typeof writeEntries>[0] | Iterable<unknown>,
    findings: Finding[] = [],
  ): Promise<Stored> {
    const folder = await this.#newFolder();
    await writeEntries(entries as Parameters<typeof writeEntries>[0], folder);
    const facts = JSON.parse(await readFile(join(folder, 'respaldo.json'), 'utf8')) as BinlogFacts;
    return { folder, snapshot: readableFolder(folder), facts, findings };
  }

  async dumpOf(source: ReturnType<typeof sourceAt>): Promise<ReadableSnapshot> {
    const folder = await this.#newFolder();
    await writeEntries(source.capture(this.io([]), { type: 'full' }), folder);
    return readableFolder(folder);
  }

  /** As archives would hold them. */
  async copiesOf(files: AsyncIterable<PortableFile> = noFiles()): Promise<ArchivedCopy[]> {
    const copies: ArchivedCopy[] = [];
    for await (const file of files) {
      const bytes = Buffer.concat(await Array.fromAsync(file.content));
      const { versions, facts } = file.about();
      const content = { bytes: bytes.length, read: () => inPieces(bytes) };
      copies.push({ file: file.name, content, database: file.name, extension: file.extension, versions, facts });
    }
    return copies;
  }

  plan(
    request: Partial<ServerRestoreRequest> & Pick<ServerRestoreRequest, 'dump' | 'address'>,
  ): Promise<ServerRestorePlan> {
    if (mysql.server === undefined) throw new Error('no servers');
    return mysql.server.plan({ ...DEFAULTS, ...request }, this.io([]));
  }

  async restore(
    plan: ServerRestorePlan,
    request: Partial<ServerRestoreRequest> & Pick<ServerRestoreRequest, 'dump' | 'address'>,
  ): Promise<void> {
    await mysql.server?.carryOut(plan, { ...DEFAULTS, ...request }, this.io([]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #newFolder(): Promise<string> {
    return mkdtemp(join(this.#folder, `${String((await readdir(this.#folder)).length)}-`));
  }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100) yield await Promise.resolve(bytes.subarray(at, at + 100));
}

async function* noFiles(): AsyncGenerator<PortableFile> {
  yield* await Promise.resolve([]);
}

const DEFAULTS = { inPlace: false, disconnect: false, createRoles: false, keepOld: false };

function snapshotsOf(stored: readonly Stored[]): ReadableSnapshot[] {
  return stored.map(({ snapshot }) => snapshot);
}

function sourceAt(address: string, password?: string) {
  return mysql.open(address, {
    workingDirectory: '/',
    selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
    acceptDamagedPages: false,
    ...(password !== undefined && { password }),
  });
}
