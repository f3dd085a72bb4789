import { chmod, chown, mkdtemp, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serverUser } from '../../examples/tienda/binaries.ts';
import { systemClock } from '../../src/clock.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { WantedType } from '../../src/domain/plan.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { backup, type BackupOutcome } from '../../src/operations/backup.ts';
import { forget } from '../../src/operations/forget.ts';
import { planRestore, restore } from '../../src/operations/restore.ts';
import { HostRuntime } from '../../src/runtimes/host.ts';
import { openRuntime, openSandbox } from '../../src/runtimes/index.ts';
import type { Command, Runtime } from '../../src/runtimes/runtime.ts';
import { SOURCE_KINDS } from '../../src/sources/index.ts';
import { mysql } from '../../src/sources/mysql/mysql.ts';
import { findPhysicalFacts, type PhysicalFacts } from '../../src/sources/mysql/physical/facts.ts';
import type { DrillReport, DrillRequest, Source, SourceOptions } from '../../src/sources/source.ts';
import { BACKUP_REQUEST, bench, type Bench } from '../fixtures/bench.ts';
import { DockerEngine, HAS_DOCKER, MARIADB_IMAGE } from '../fixtures/docker.ts';
import { MARIADB, MYSQL } from '../fixtures/mysql-products.ts';
import { MysqlServer } from '../fixtures/mysql-server.ts';
import { SOURCE_OPTIONS } from './mysql-bench.ts';
import { describeSource } from './source.ts';

const SECRET = 'a secret, 123';
const HOSTILE = 'ñ `; 表';

/** Every kind of file that a data directory has. */
const TABLES = `
CREATE TABLE t (id INT PRIMARY KEY, x VARCHAR(200));
INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_60000;
CREATE TABLE parts (id INT PRIMARY KEY, x VARCHAR(40)) PARTITION BY RANGE (id)
  (PARTITION few VALUES LESS THAN (100), PARTITION many VALUES LESS THAN MAXVALUE);
INSERT INTO parts SELECT seq, MD5(seq) FROM seq_1_to_2000;
CREATE TABLE packed (id INT PRIMARY KEY, x TEXT) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;
INSERT INTO packed SELECT seq, REPEAT('x', 2000) FROM seq_1_to_500;
CREATE TABLE holes (id INT PRIMARY KEY, x TEXT) PAGE_COMPRESSED=1;
INSERT INTO holes SELECT seq, REPEAT('y', 2000) FROM seq_1_to_500;
CREATE TABLE plain (id INT PRIMARY KEY, x TEXT) ENGINE=MyISAM;
INSERT INTO plain SELECT seq, MD5(seq) FROM seq_1_to_1000;
CREATE TABLE crashsafe (id INT PRIMARY KEY, x TEXT) ENGINE=Aria;
INSERT INTO crashsafe SELECT seq, MD5(seq) FROM seq_1_to_1000;
CREATE TABLE csv (id INT NOT NULL) ENGINE=CSV;
INSERT INTO csv VALUES (1), (2);
CREATE TABLE \`${HOSTILE.replaceAll('`', '``')}\` (\`a;b\` INT);
INSERT INTO \`${HOSTILE.replaceAll('`', '``')}\` VALUES (7);
CREATE SEQUENCE numbers START 41;
CREATE VIEW v AS SELECT COUNT(*) AS n FROM t;
CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW SET NEW.x = UPPER(NEW.x);
CREATE PROCEDURE nothing() SELECT 1;
`;

// Each copies all files of a server, and most start others on them.
describe('The files of a MariaDB server', { timeout: 120_000 }, () => {
  let server: MysqlServer;
  let place: Bench;

  beforeAll(async () => {
    server = await MysqlServer.start(MARIADB);
    await server.query('CREATE DATABASE shop');
    await server.query(TABLES, 'shop');
    await server.restart();
  });
  beforeEach(async () => {
    place = await bench();
  });
  afterEach(() => place[Symbol.asyncDispose]());
  afterAll(() => server[Symbol.asyncDispose]());

  const sourceAt = (address: string, more: Partial<SourceOptions> = {}): Source =>
    mysql.open(address, { ...SOURCE_OPTIONS, ...more });
  const physical = (more: Partial<SourceOptions> = {}) => sourceAt(server.address('', 'method=physical'), more);

  async function take(
    type: WantedType = 'auto',
    runtime = place.runtime,
    source = physical(),
    onProgress?: () => void,
  ): Promise<BackupOutcome & { readonly snapshot: Snapshot; readonly facts: PhysicalFacts }> {
    const { repository, journal, signal } = place;
    const ports = { repository, runtime, journal, clock: systemClock, ...(onProgress && { onProgress }) };
    const outcome = await backup({ ...BACKUP_REQUEST, type, source }, ports, signal);
    const { snapshot = expect.fail('there is no snapshot') } = outcome;
    const facts = await findPhysicalFacts(repository.readable(snapshot, signal));
    return { ...outcome, snapshot, facts: facts ?? expect.fail('it holds no files') };
  }

  /** @returns the data directory */
  async function bringBack(
    snapshot: Snapshot,
    onFinding: (finding: Finding) => void = () => undefined,
  ): Promise<string> {
    const target = join(place.folder, `restored-${snapshot.id}`);
    const ports = { repository: place.repository, runtime: place.runtime, kinds: SOURCE_KINDS, onFinding };
    const request = { snapshot, target, include: [], exclude: [], dryRun: false };
    const { state } = await restore(await planRestore(request, ports, place.signal), ports, place.signal);
    expect(state).toBe('succeeded');
    return target;
  }

  async function drill(snapshot: Snapshot, sql: string): Promise<DrillReport> {
    const folder = await mkdtemp(join(place.folder, 'drill-'));
    for (const path of [place.folder, folder]) await chmod(path, 0o711);
    const { uid = 0, gid = 0 } = serverUser() ?? { uid: process.getuid?.(), gid: process.getgid?.() };
    return drillIn(folder, { uid, gid }, snapshot, sql, place.runtime);
  }

  async function drillIn(
    folder: string,
    user: DrillRequest['user'],
    snapshot: Snapshot,
    sql: string,
    runtime: Runtime,
  ): Promise<DrillReport> {
    const { repository, signal } = place;
    const request = {
      snapshot: repository.readable(snapshot, signal),
      settings: { assertions: [{ sql }], timeoutSeconds: 60 },
      folder,
      user,
      extract: async (path: string, into: string) => {
        await repository.restore(snapshot, into, { path, include: [], exclude: [] }, signal);
      },
      clock: systemClock,
      onPhase: () => undefined,
    };
    const io = { runtime, signal, report: () => undefined, expect: () => undefined };
    return (mysql.driller ?? expect.fail('MySQL is drilled')).drill(request, io);
  }

  describeSource('MariaDB by its files', async () => {
    const address = server.address('', 'method=physical');
    await Promise.resolve();
    return {
      address,
      source: sourceAt(address),
      state: () => server.dump('shop'),
      restoredState: async (restored) => {
        await using copy = await MysqlServer.on(restored, MARIADB);
        return await copy.dump('shop');
      },
      change: async () => {
        await server.query(`UPDATE t SET x = 'changed' WHERE id = 30000; INSERT INTO t VALUES (70000, 'new')`, 'shop');
      },
      held: () => server.sessions(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  });

  it('are one state, and say which, although everybody writes while they are copied', async () => {
    await server.query(
      `CREATE OR REPLACE DATABASE bank; USE bank; CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;
       CREATE TABLE accounts (id INT PRIMARY KEY, balance INT); INSERT INTO accounts SELECT seq, 100 FROM seq_1_to_50`,
    );
    const before = await transactions();
    const transfers = Array.from(
      { length: 100 },
      (_, i) => `BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = ${String(2 + (i % 49))};
        UPDATE accounts SET balance = balance + 1 WHERE id = 1; INSERT INTO log VALUES (); COMMIT;`,
    ).join('\n');
    const copied = new AbortController();
    const writing = (async () => {
      while (!copied.signal.aborted) await server.query(transfers, 'bank');
    })();
    try {
      const full = await take('full');
      const increment = await take('incremental');
      copied.abort();
      await writing;
      const counts: number[] = [];
      for (const { snapshot, facts } of [full, increment]) {
        await using copy = await MysqlServer.on(await bringBack(snapshot), MARIADB);
        expect(await copy.query('SELECT SUM(balance) FROM accounts', 'bank')).toBe('5000');
        expect(await copy.query('CHECK TABLE accounts, log', 'bank')).not.toMatch(/error|corrupt/i);
        const rows = Number(await copy.query('SELECT COUNT(*) FROM log', 'bank'));
        expect(rows).toBe(Number(facts.position?.gtid?.split('-').at(-1)) - before);
        expect(facts.position).toMatchObject({ file: expect.stringMatching(/^bin\.\d+$/) as string });
        counts.push(rows);
      }
      expect(counts[1]).toBeGreaterThan(counts[0] ?? 0);
    } finally {
      copied.abort();
      await writing;
      await server.query('DROP DATABASE bank');
    }

    async function transactions(): Promise<number> {
      return Number((await server.query('SELECT @@gtid_binlog_pos')).split('-').at(-1));
    }
  });

  it('are copied in increments that can be restored when all that they build upon is gone', async () => {
    await server.query('CREATE OR REPLACE DATABASE chain');
    await server.query(
      `CREATE TABLE grows (id INT PRIMARY KEY, x TEXT); INSERT INTO grows SELECT seq, MD5(seq) FROM seq_1_to_20000;
       CREATE TABLE goes (id INT PRIMARY KEY); INSERT INTO goes VALUES (1); CREATE TABLE moves (id INT PRIMARY KEY);
       CREATE TABLE emptied (id INT PRIMARY KEY); INSERT INTO emptied SELECT seq FROM seq_1_to_5000`,
      'chain',
    );
    const first = await take('full');
    const steps = [
      `DELETE FROM grows WHERE id % 3 = 0; DROP TABLE goes; RENAME TABLE moves TO moved; INSERT INTO moved VALUES (5)`,
      `TRUNCATE emptied; CREATE TABLE goes (id INT PRIMARY KEY, other INT); INSERT INTO goes VALUES (1, 2);
       ALTER TABLE grows ADD COLUMN more INT DEFAULT 3, ALGORITHM=COPY`,
      `DROP TABLE moved; UPDATE grows SET x = 'last' WHERE id < 100; INSERT INTO shop.plain VALUES (100000, 'new')`,
    ];
    const taken = [];
    for (const sql of steps) {
      await server.query(sql, 'chain');
      taken.push({ outcome: await take('incremental'), state: await server.dump('chain') });
    }
    const [one, two, three] = taken;
    expect(three?.outcome.facts.chain.map(({ folder }) => folder)).toEqual([
      '/data',
      ...['/increments/1', '/increments/2', '/increments/3'],
    ]);
    await server.query("INSERT INTO grows (id, x) VALUES (100000, 'differs')", 'chain');
    const differential = { outcome: await take('differential'), state: await server.dump('chain') };
    expect(differential.outcome.facts.chain.map(({ folder }) => folder)).toEqual(['/data', '/increments/1']);
    await server.query('DROP DATABASE chain');

    const { repository, signal } = place;
    await forget(
      { groups: [], remove: [first.snapshot, ...[one, two].flatMap((it) => it?.outcome.snapshot ?? [])] },
      place,
      signal,
    );
    await repository.prune({ maxUnused: 0 }, () => true, signal);
    expect(await Array.fromAsync(repository.check({ readData: true }, signal))).toEqual([]);
    for (const kept of [three, differential]) {
      if (kept === undefined) throw new Error('there is none');
      await using copy = await MysqlServer.on(await bringBack(kept.outcome.snapshot), MARIADB);
      expect(await copy.dump('chain')).toBe(kept.state);
      expect(await copy.databases()).toContain('shop');
    }
  });

  it('are copied as a whole again when the server is not surely the same: it was started anew', async () => {
    await take('full');
    await server.restart();
    const { facts, findings, decision } = await take('incremental');
    expect(decision.type).toBe('incremental');
    expect(facts.chain.map(({ folder }) => folder)).toEqual(['/data']);
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      ['copied-as-a-whole', 'all files were copied, since the server was started anew since the last one'],
    ]);
  });

  it('never build upon what the repository has lost', async () => {
    const { snapshot } = await take('full');
    const { repository, signal } = place;
    await forget({ groups: [], remove: [snapshot] }, place, signal);
    await repository.prune({ maxUnused: 0 }, () => true, signal);
    const request = { ...BACKUP_REQUEST, type: 'incremental' as const, parent: snapshot, source: physical() };
    const ports = { ...place, clock: systemClock };
    await expect(backup(request, ports, signal)).rejects.toMatchObject({
      code: expect.stringMatching(/^repository-/) as string,
    });
    expect(await repository.snapshots({}, signal)).toEqual([]);
  });

  it('are restored with the owner and the modes that a server wants', async () => {
    const data = await bringBack((await take('full')).snapshot);
    const owner = serverUser()?.uid ?? process.getuid?.();
    for (const name of ['.', 'ibdata1', 'shop', 'shop/t.ibd']) {
      const { uid, mode } = await stat(join(data, name));
      expect([name, uid, mode & 0o007]).toEqual([name, owner, 0]);
    }
    expect(await readdir(data)).not.toContain('.respaldo-unfinished');
    await expect(bringBackInto(data)).rejects.toMatchObject({ code: 'target-not-empty' });

    async function bringBackInto(target: string): Promise<void> {
      const { snapshot } = await take('incremental');
      const ports = { repository: place.repository, runtime: place.runtime, kinds: SOURCE_KINDS };
      const request = { snapshot, target, include: [], exclude: [], dryRun: false };
      await restore(await planRestore(request, ports, place.signal), ports, place.signal);
    }
  });

  it('may have pages of another size, and several files for the system', async () => {
    const options = ['--innodb-page-size=8k', '--innodb-data-file-path=ibdata1:10M;ibdata2:10M:autoextend'];
    const undo = '--innodb-undo-tablespaces=3';
    const initialize = (data: string): readonly string[] => [...MARIADB.initialize(data), ...options, undo];
    const product = { ...MARIADB, initialize, options: [...options, undo] };
    await using other = await MysqlServer.start(product);
    await other.query('CREATE DATABASE shop; USE shop; CREATE TABLE t AS SELECT seq AS id FROM seq_1_to_1000');
    const source = sourceAt(other.address('', 'method=physical'));
    await take('full', place.runtime, source);
    await other.query('DELETE FROM shop.t WHERE id > 10');
    const { snapshot } = await take('incremental', place.runtime, source);
    const notes: string[] = [];
    const data = await bringBack(snapshot, (finding) => notes.push(finding.message));
    expect(notes.join()).toContain(
      `mariadbd --innodb-page-size=8192 '--innodb-data-file-path=ibdata1:10M;ibdata2:10M:autoextend' --datadir=${data}`,
    );
    await using copy = await MysqlServer.on(data, product);
    expect(await copy.dump('shop')).toBe(await other.dump('shop'));
  });

  it('are proven by a server that nobody else knows, and refuted where a page is damaged', async () => {
    const { snapshot } = await take('full');
    const { checks, server: name } = await drill(snapshot, 'SELECT COUNT(*) >= 60000 FROM shop.t');
    expect(checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['record', true],
      ['tables', true],
      [expect.anything(), true],
    ]);
    expect(name).toMatch(/^MariaDB 10\./);

    const table = join(server.data, 'shop/packed.frm');
    await server.query('FLUSH TABLES');
    const definition = await readFile(table);
    const file = await open(table, 'r+');
    try {
      await file.write(Buffer.alloc(definition.length), 0, definition.length, 0);
      const damaged = await take('full');
      const report = await drill(damaged.snapshot, 'SELECT 1').catch((error: unknown) => error);
      if (report instanceof Error) expect(report).toMatchObject({ code: 'not-proven' });
      else expect((report as DrillReport).checks.filter(({ passed }) => !passed)).not.toEqual([]);
    } finally {
      await file.write(definition, 0, definition.length, 0);
      await file.close();
    }
  });

  describe('are no snapshot', () => {
    let sent: Buffer | undefined;
    /** This host, whose `mariadb-backup` sends what `change` makes of what it once sent. */
    const changed = (change: (output: Buffer) => Buffer): Runtime => ({
      kind: 'host',
      place: 'this host',
      run: async function* (command: Command, signal: AbortSignal) {
        if (!command.argv.includes('--backup')) {
          yield* new HostRuntime().run(command, signal);
          return;
        }
        sent ??= Buffer.concat(await Array.fromAsync(new HostRuntime().run(command, signal)));
        yield change(Buffer.from(sent));
      },
    });
    const MARK = 'RESPALDO';
    /** As a repository does it, which stores nothing where this throws. */
    const readAll = async (runtime: Runtime): Promise<void> => {
      const io = { runtime, signal: place.signal, report: () => undefined, expect: () => undefined };
      for await (const entry of physical().capture(io, { type: 'full' }))
        if (entry.kind === 'file') for await (const _piece of entry.content) continue;
    };

    it.each<readonly [string, (whole: Buffer) => Buffer]>([
      ['within the first chunk', (whole) => whole.subarray(0, 20)],
      ['in the middle', (whole) => whole.subarray(0, Math.floor(whole.length / 2))],
      ['between two chunks', (whole) => whole.subarray(0, whole.indexOf('XBSTCK01', Math.floor(whole.length / 2)))],
      ['before the last end of a file', (whole) => whole.subarray(0, whole.lastIndexOf('XBSTCK01'))],
      ['before what the program says last', (whole) => whole.subarray(0, whole.lastIndexOf(MARK))],
      ['within what the program says last', (whole) => whole.subarray(0, -1)],
      ['before anything came', () => Buffer.alloc(0)],
    ])('where the stream is cut %s', async (_where, cut) => {
      await expect(readAll(changed(cut))).rejects.toMatchObject({ code: 'source-lost' });
    });

    it('where a byte of a file was changed on its way', async () => {
      const flip = (whole: Buffer): Buffer => {
        const at = Math.floor(whole.length / 2);
        whole.writeUInt8(whole.readUInt8(at) ^ 1, at);
        return whole;
      };
      await expect(readAll(changed(flip))).rejects.toMatchObject({ code: 'source-lost' });
    });

    it('where the server is killed meanwhile, or we are told to stop', async () => {
      const killing: Runtime = {
        kind: 'host',
        place: 'this host',
        run: async function* (command: Command, signal: AbortSignal) {
          for await (const piece of new HostRuntime().run(command, signal)) {
            yield piece;
            if (command.argv.includes('--backup')) await server.kill();
          }
        },
      };
      try {
        await expect(take('full', killing)).rejects.toMatchObject({
          code: expect.stringMatching(/^source-lost|^command-failed/) as string,
        });
      } finally {
        await server.resume();
      }
      expect(await place.repository.snapshots({}, place.signal)).toEqual([]);
    });
  });

  it('in a container are copied by its own program and password, and proven in its own image', async ({ skip }) => {
    skip(!HAS_DOCKER, 'this needs root, and an engine');
    await using engine = await DockerEngine.start();
    await engine.importMariadbImage();
    await engine.mariadb('shop-db', SECRET);
    const env = { DOCKER_HOST: engine.host, HOME: place.folder };
    const runtime = await openRuntime({ kind: 'docker', container: 'shop-db', labels: [] }, env, systemClock);
    const ask = (sql: string) =>
      engine.docker('exec', '-e', `MYSQL_PWD=${SECRET}`, 'shop-db', 'mariadb', '-uroot', '-Ne', sql);
    await ask('CREATE DATABASE shop; CREATE TABLE shop.t (i INT); INSERT INTO shop.t VALUES (1), (2)');
    const source = sourceAt('mysql:///?method=physical', { place: 'docker/shop-db' });
    expect(source.paths).toEqual(['/mysql/docker/shop-db/localhost:3306/files']);
    await take('full', runtime, source);
    await ask('INSERT INTO shop.t VALUES (3)');
    const { snapshot, facts } = await take('incremental', runtime, source);
    expect(facts.chain.map(({ folder }) => folder)).toEqual(['/data', '/increments/1']);
    expect(facts.position).toBeUndefined();

    const folder = await mkdtemp(join(place.folder, 'drill-'));
    const lifeline = join(folder, 'lifeline');
    await writeFile(lifeline, '');
    for (const path of [place.folder, folder]) await chmod(path, 0o711);
    const user = { uid: 65_534, gid: 65_534 };
    await chown(folder, user.uid, user.gid);
    await using sandbox = await openSandbox({ image: MARIADB_IMAGE, folder, lifeline, user }, env);
    const { checks } = await drillIn(folder, user, snapshot, 'SELECT COUNT(*) = 3 FROM t', sandbox.runtime);
    expect(checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['record', true],
      ['tables', true],
      [expect.anything(), true],
    ]);
  });

  describe('are refused', () => {
    const check = (source: Source) =>
      source.check({ runtime: place.runtime, signal: place.signal, report: () => undefined, expect: () => undefined });

    it('with a wrong password, or without the privileges', async () => {
      await server.query(
        `CREATE OR REPLACE USER copier@'127.0.0.1' IDENTIFIED BY '${SECRET}'; GRANT PROCESS ON *.* TO copier@'127.0.0.1'`,
      );
      const by = (password: string) => sourceAt(`${server.addressOf('copier')}?method=physical`, { password });
      await expect(check(by('wrong'))).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining('Access denied') as string,
      });
      await expect(check(by(SECRET))).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining('copier@127.0.0.1 lacks RELOAD, BINLOG MONITOR') as string,
      });
      await server.query("GRANT RELOAD, BINLOG MONITOR ON *.* TO copier@'127.0.0.1'");
      expect(await check(by(SECRET))).toEqual([]);

      const seen: string[] = [];
      const looking: Runtime = {
        kind: 'host',
        place: 'this host',
        run: async function* (command: Command, signal: AbortSignal) {
          let isFirst = command.argv.includes('--backup');
          for await (const piece of new HostRuntime().run(command, signal)) {
            // It has much more to say, and waits until somebody takes it.
            if (isFirst) seen.push(...(await commandLines()));
            isFirst = false;
            yield piece;
          }
        },
      };
      await take('full', looking, by(SECRET));
      const ours = seen.filter((line) => line.includes('copier'));
      expect(ours.some((line) => line.includes('mariadb-backup'))).toBe(true);
      expect(ours.filter((line) => line.includes(SECRET))).toEqual([]);
    });

    async function commandLines(): Promise<readonly string[]> {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
    }

    it('where a table lies elsewhere: its copy would be the same files', async () => {
      await server.query(
        `CREATE OR REPLACE DATABASE odd; CREATE TABLE odd.far (id INT) DATA DIRECTORY = '${server.folder}/elsewhere'`,
      );
      try {
        await expect(check(physical())).rejects.toMatchObject({
          code: 'source-refused',
          message: expect.stringContaining('odd/far lie outside of the data directory') as string,
        });
      } finally {
        await server.query('DROP DATABASE odd');
      }
    });

    it('where the server encrypts tables: its keys are in no backup', async () => {
      const key = join(server.folder, 'keys');
      await writeFile(key, `1;${'0123456789abcdef'.repeat(4)}\n`, { mode: 0o644 });
      const plugin = ['--plugin-load-add=file_key_management', `--file-key-management-filename=${key}`];
      await using other = await MysqlServer.start(MARIADB, plugin);
      await other.query('CREATE DATABASE shop; CREATE TABLE shop.secret (id INT) ENCRYPTED=YES');
      await expect(check(sourceAt(other.address('', 'method=physical')))).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining('shop/secret are encrypted') as string,
      });
    });

    it.each([
      ['uname', 'elsewhere', 'it says that it runs on'],
      ['stat', '', 'cannot be read'],
    ])('where the files are not the server’s, by what %s says', async (program, said, why) => {
      const runtime: Runtime = {
        kind: 'host',
        place: 'this host',
        run: async function* (command: Command, signal: AbortSignal) {
          if (command.argv[0] !== program) yield* new HostRuntime().run(command, signal);
          else if (said === '') yield* new HostRuntime().run({ argv: ['false'] }, signal);
          else yield Buffer.from(said);
        },
      };
      const io = { runtime, signal: place.signal, report: () => undefined, expect: () => undefined };
      await expect(physical().check(io)).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining(why) as string,
      });
    });

    it('where the program is of another series than the server', async () => {
      const runtime: Runtime = {
        kind: 'host',
        place: 'this host',
        run: async function* (command: Command, signal: AbortSignal) {
          if (!command.argv.some((word) => word.includes('--version 2>&1')))
            yield* new HostRuntime().run(command, signal);
          else yield Buffer.from('mariadb-backup based on MariaDB server 10.6.18-MariaDB debian-linux-gnu (x86_64)');
        },
      };
      const io = { runtime, signal: place.signal, report: () => undefined, expect: () => undefined };
      await expect(physical().check(io)).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining('10.6.18 does not fit') as string,
      });
    });

    it('where it is a server of MySQL', async () => {
      await using other = await MysqlServer.start(MYSQL);
      await expect(check(sourceAt(other.address('', 'method=physical')))).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining('one of MySQL') as string,
        hint: expect.stringContaining('method=logical') as string,
      });
    });
  });
});
