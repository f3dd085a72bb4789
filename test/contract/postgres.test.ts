import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { HostRuntime } from '../../src/runtimes/host.ts';
import { postgres } from '../../src/sources/postgres/postgres.ts';
import type { CaptureOptions, RestoreTarget, Source, SourceIo, SourceOptions } from '../../src/sources/source.ts';
import { readableFolder, restoreTarget, writeEntries } from '../fixtures/entry-folder.ts';
import { Cluster, encrypt, DEBIAN_15, SERVERS, type Binaries, type ClusterOptions } from '../fixtures/postgres.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';

const run = promisify(execFile);
const VERIFY_BACKUP = join(DEBIAN_15, 'pg_verifybackup');
const MIB = 1024 * 1024;
const LOAD = [
  'CREATE TABLE account AS SELECT id, 1000 AS balance FROM generate_series(1, 50000) AS id',
  'ALTER TABLE account ADD PRIMARY KEY (id)',
  'CREATE UNLOGGED TABLE basket AS SELECT 1 AS id',
  "CREATE ROLE copier REPLICATION LOGIN PASSWORD 'secret'",
  "CREATE ROLE reader LOGIN PASSWORD 'secret'",
  'CHECKPOINT',
];
const BALANCES = 'SELECT count(*)::int AS accounts, sum(balance)::int AS total FROM account';
const SOUND = [{ accounts: 50_000, total: 50_000_000 }];
const SLOTS = 'SELECT count(*)::int AS slots FROM pg_replication_slots';

describe.each(SERVERS)('a physical backup of $name', ({ name, binaries: locate }) => {
  const oldest = name.includes('15');
  let binaries: Binaries;
  let shared: Cluster;
  let folder: string;
  const made: { remove(): Promise<void> }[] = [];

  beforeAll(async () => {
    binaries = await locate();
    folder = await mkdtemp(join(tmpdir(), 'respaldo-backup-'));
    await chmod(folder, 0o755);
    shared = await loaded({ tcp: true });
    made.length = 0;
  });

  afterEach(async () => {
    for (const one of made.splice(0).reverse()) await one.remove();
  });

  afterAll(async () => {
    await shared.remove();
    await rm(folder, { recursive: true, force: true });
    await binaries.remove();
  });

  describe('restored', () => {
    it('starts by itself and holds the same rows', async () => {
      const { captured } = await backup(shared.address);
      const data = await restored(captured);
      await verifyBackup(data);
      const copy = await started(data);
      expect(await copy.query(BALANCES)).toEqual(SOUND);
      expect(await copy.query('SELECT count(*)::int AS rows FROM basket')).toEqual([{ rows: 0 }]);
      expect(await copy.query('SELECT pg_is_in_recovery() AS standby')).toEqual([{ standby: false }]);
    });

    it('is consistent although the server was written to all the while', async () => {
      const source = await loaded();
      const { captured, moved } = await source.session(async (client) => {
        const over = new AbortController();
        const result = backup(source.address).finally(() => {
          over.abort();
        });
        let transfers = 0;
        for (; !over.signal.aborted; transfers++)
          await client.query(
            'UPDATE account SET balance = balance + CASE id WHEN $1 THEN -1 ELSE 1 END WHERE id IN ($1, $2)',
            [1 + (transfers % 25_000), 50_000 - (transfers % 25_000)],
          );
        return { ...(await result), moved: transfers };
      });
      expect(moved).toBeGreaterThan(10);
      const copy = await started(await restored(captured));
      expect(await copy.query(BALANCES)).toEqual(SOUND);
    });

    it('keeps its tablespaces beside it, away from the original’s', async () => {
      const source = await loaded();
      const place = join(source.folder, 'tablespace');
      await ownFolder(place);
      await source.query(`CREATE TABLESPACE attic LOCATION '${place}'`);
      await source.query('CREATE TABLE old TABLESPACE attic AS SELECT * FROM account');
      const { captured } = await backup(source.address);
      const data = await restored(captured);
      await verifyBackup(data, ['--ignore=tablespace_map']);
      await source.remove();
      const copy = await started(data);
      expect(await copy.query(BALANCES.replace('FROM account', 'FROM old'))).toEqual(SOUND);
      const [space] = await copy.query(
        'SELECT pg_tablespace_location(oid) AS at FROM pg_tablespace WHERE oid >= 16384',
      );
      expect(String(space?.at)).toMatch(new RegExp(`^${data}-tablespaces/\\d+$`));
      made.push({ remove: () => rm(`${data}-tablespaces`, { recursive: true }) });
    });

    it('warns of an archive that it would share with the original', async () => {
      const source = await loaded({ settings: ['archive_mode = on', "archive_command = 'true'"] });
      const reported: Finding[] = [];
      await restored((await backup(source.address)).captured, reported);
      expect(reported.map(({ code }) => code)).toEqual(['archiving-on', 'how-to-start']);
    });

    it('is no data directory yet when it was interrupted', async () => {
      const { captured } = await backup(shared.address);
      const data = join(await mkdtemp(join(folder, 'restored-')), 'data');
      const whole = restoreTarget(captured, data);
      const interrupted: RestoreTarget = {
        folder: data,
        extract: async (...args) => {
          await whole.extract(...args);
          throw new Error('interrupted');
        },
      };
      await expect(postgres.restore(readableFolder(captured), interrupted, io())).rejects.toThrow('interrupted');
      expect(existsSync(join(data, 'base'))).toBe(true);
      expect(existsSync(join(data, 'global', 'pg_control'))).toBe(false);
    });

    it('is a server of its own although the original was a standby', async () => {
      const { captured } = await backup(shared.address);
      const standby = await Cluster.on(binaries, await restored(captured));
      made.push(standby);
      await writeFile(join(standby.data, 'standby.signal'), '');
      const primary = `host=${shared.folder} port=${String(shared.port)} user=postgres`;
      await standby.start([`-c primary_conninfo='${primary}'`]);
      expect(await standby.query('SELECT pg_is_in_recovery() AS standby')).toEqual([{ standby: true }]);
      const { captured: second } = await backup(standby.address);
      const reported: Finding[] = [];
      const copy = await started(await restored(second, reported));
      expect(reported.map(({ code }) => code)).toContain('standby-ended');
      expect(await copy.query('SELECT pg_is_in_recovery() AS standby')).toEqual([{ standby: false }]);
      expect(await copy.query(BALANCES)).toEqual(SOUND);
    });

    it('brings configuration from outside the data directory with it', async () => {
      const source = await loaded();
      const etc = await moveConfiguration(source);
      const { captured, findings } = await backup(source.address);
      await source.stop();
      await rm(etc, { recursive: true });
      const data = await restored(captured);
      expect(findings).toEqual([]);
      const copy = await started(data);
      expect(await copy.query('SHOW work_mem')).toEqual([{ work_mem: '5MB' }]);
      expect(await copy.query('SHOW maintenance_work_mem')).toEqual([{ maintenance_work_mem: '77MB' }]);
      expect(await readFile(join(data, 'pg_hba.conf'), 'utf8')).toContain('local all all trust');
    });

    it('gets a minimal configuration where the role may not read the original', async () => {
      const source = await loaded({ tcp: true });
      const etc = await moveConfiguration(source);
      const { captured, findings } = await backup(tcp(source, 'copier'), { password: 'secret' });
      expect(findings.map(({ code }) => code)).toEqual(['configuration-unknown']);
      await source.stop();
      await rm(etc, { recursive: true });
      const reported: Finding[] = [];
      const data = await restored(captured, reported);
      expect(reported.map(({ code }) => code)).toContain('configuration-minimal');
      await started(data); // nobody is let in, but it starts
    });
  });

  it('captures configuration with no more privileges than the hints ask for', async () => {
    const source = await loaded({ tcp: true });
    const etc = await moveConfiguration(source);
    const address = tcp(source, 'copier');
    await source.query('GRANT pg_read_all_settings TO copier');
    const first = await backup(address, { password: 'secret' });
    expect(first.findings.map(({ code }) => code)).toEqual([
      'configuration-includes-unknown',
      ...Array<string>(3).fill('configuration-not-captured'),
    ]);
    await source.query('GRANT pg_read_server_files TO copier');
    await source.query('GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO copier');
    await source.query('GRANT SELECT ON pg_file_settings TO copier');
    await source.query('GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO copier');
    const second = await backup(address, { password: 'secret' });
    expect(second.findings).toEqual([]);
    expect(await readFile(join(second.captured, 'config', 'included', etc, 'conf.d', 'memory.conf'), 'utf8')).toContain(
      '77MB',
    );
  });

  it('is incomplete when the server leaves out what is no ordinary file', async () => {
    const source = await loaded();
    await symlink('/dev/null', join(source.data, 'base', 'strange'));
    await symlink('/var/log', join(source.data, 'log'));
    const { findings } = await backup(source.address);
    expect(findings.toSorted((a, b) => a.severity.localeCompare(b.severity))).toMatchObject([
      { severity: 'incomplete', code: 'file-skipped', subject: 'base/strange' },
      { severity: 'note', code: 'file-skipped', subject: 'log' },
    ]);
  });

  describe('cut into blocks', () => {
    it('has relation files on pages and the rest by content', async () => {
      const { entries } = await backup(shared.address);
      const files = entries.filter((entry) => entry.kind === 'file');
      const blocks = new Map(files.map(({ path, cut }) => [path, cut]));
      const [{ file } = { file: '' }] = await shared.query("SELECT pg_relation_filepath('account') AS file");
      expect(blocks.get(`/data/${String(file)}`)).toEqual({ block: 8192 });
      expect(blocks.get('/data/PG_VERSION')).toBe('content');
      expect(blocks.get('/data/global/pg_control')).toBe('content');
    });

    it('keeps the parent’s blocks', async () => {
      const { captured } = await backup(shared.address);
      const { entries } = await backup(
        shared.address,
        {},
        { type: 'incremental', since: readableFolder(captured, 16_384) },
      );
      const [{ file } = { file: '' }] = await shared.query("SELECT pg_relation_filepath('account') AS file");
      const account = entries.find(
        ({ kind, ...entry }) => kind === 'file' && 'path' in entry && entry.path === `/data/${String(file)}`,
      );
      expect(account).toMatchObject({ cut: { block: 16_384 } });
    });
  });

  describe('that cannot be completed', () => {
    it.each([0, 1, 500_000, 10_000_000, 25_000_000])(
      'fails when the connection breaks after %i bytes',
      async (bytes) => {
        const proxy = await TcpProxy.start(shared.port, bytes);
        made.push({ remove: () => proxy.close() });
        const address = tcp(shared, 'copier', proxy.port);
        await expect(backup(address, { password: 'secret' })).rejects.toMatchObject({ code: 'source-lost' });
      },
    );

    it('fails when the very last byte is missing', async () => {
      const whole = await TcpProxy.start(shared.port);
      made.push({ remove: () => whole.close() });
      await drain(source(tcp(shared, 'copier', whole.port), { password: 'secret' }));
      const proxy = await TcpProxy.start(shared.port, whole.longest - 1);
      made.push({ remove: () => proxy.close() });
      const cut = drain(source(tcp(shared, 'copier', proxy.port), { password: 'secret' }));
      await expect(cut).rejects.toMatchObject({ code: 'source-lost' });
    });

    it('fails when the server is killed', async () => {
      const source = await loaded();
      const killed = backup(source.address, {}, { type: 'full' }, async (entry) => {
        if ('path' in entry && entry.path === '/data/base') await source.stop('immediate');
      });
      await expect(killed).rejects.toMatchObject({ code: 'source-lost' });
    });

    it('fails as cancelled when it is aborted, and leaves no slot behind', async () => {
      const abort = new AbortController();
      const aborted = backup(
        shared.address,
        {},
        { type: 'full' },
        (entry) => {
          if ('path' in entry && entry.path === '/data/base') abort.abort();
        },
        abort.signal,
      );
      await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
      await expect.poll(() => shared.query(SLOTS)).toEqual([{ slots: 0 }]);
    });

    it('leaves no slot behind when the consumer stops early', async () => {
      for await (const entry of source(shared.address).capture(io(), { type: 'full' })) {
        if ('path' in entry && entry.path === '/data/base') break;
      }
      await expect.poll(() => shared.query(SLOTS)).toEqual([{ slots: 0 }]);
    });
  });

  it('holds the server back when the consumer is slow', async () => {
    const proxy = await TcpProxy.start(shared.port);
    made.push({ remove: () => proxy.close() });
    let consumed = 0;
    let ahead = 0;
    for await (const entry of source(tcp(shared, 'copier', proxy.port), { password: 'secret' }).capture(io(), {
      type: 'full',
    })) {
      if (entry.kind !== 'file') continue;
      for await (const piece of entry.content) {
        consumed += piece.length;
        for (let turn = 0; turn < 5; turn++) await setImmediate();
        ahead = Math.max(ahead, proxy.received - consumed);
      }
    }
    expect(consumed).toBeGreaterThan(40 * MIB);
    expect(ahead).toBeLessThan(16 * MIB); // what sockets of the system hold
  });

  describe('of damaged pages', () => {
    let damaged: Cluster;
    let relation: string;

    beforeAll(async () => {
      damaged = await loaded();
      made.length = 0;
      relation = String((await damaged.query("SELECT pg_relation_filepath('account') AS file"))[0]?.file);
      await damaged.stop();
      await flipByte(join(damaged.data, relation), 3 * 8192 + 4000);
      await damaged.start();
    });

    afterAll(() => damaged.remove());

    it('fails and names the relation', async () => {
      await expect(backup(damaged.address)).rejects.toMatchObject({
        code: 'source-damaged',
        message: expect.stringContaining(`${relation} (table account of database postgres)`) as string,
      });
    });

    it('is complete but for them when they are accepted', async () => {
      const { captured, findings } = await backup(damaged.address, { acceptDamagedPages: true });
      expect(findings[0]).toMatchObject({ severity: 'incomplete', code: 'pages-damaged', subject: relation });
      expect(findings.slice(1).every(({ severity }) => severity === 'note')).toBe(true);
      const reported: Finding[] = [];
      const copy = await started(await restored(captured, reported));
      expect(reported).toMatchObject([{ severity: 'incomplete', subject: relation }, { code: 'how-to-start' }]);
      expect(await copy.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
  });

  describe('that the server refuses', () => {
    it('says so for a wrong password', async () => {
      await expect(check(tcp(shared, 'copier'), { password: 'wrong' })).rejects.toMatchObject({
        code: 'source-refused',
        context: { sqlstate: '28P01' },
      });
    });

    it('says that a password is missing', async () => {
      await expect(check(tcp(shared, 'copier'))).rejects.toMatchObject({
        code: 'source-refused',
        hint: expect.stringContaining('PGPASSWORD') as string,
      });
    });

    it('says which privilege the role lacks', async () => {
      await expect(check(tcp(shared, 'reader'), { password: 'secret' })).rejects.toMatchObject({
        code: 'source-refused',
        hint: expect.stringContaining('REPLICATION') as string,
      });
    });

    it('says what pg_hba.conf lacks', async () => {
      const source = await loaded({ access: 'local all postgres trust\n' });
      await expect(check(source.address)).rejects.toMatchObject({
        code: 'source-refused',
        hint: expect.stringContaining('pg_hba.conf') as string,
      });
    });

    it('says that wal_level is too low', async () => {
      const source = await loaded({ settings: ['wal_level = minimal', 'max_wal_senders = 0'] });
      await expect(check(source.address)).rejects.toMatchObject({
        code: 'source-refused',
        hint: expect.stringContaining('wal_level') as string,
      });
    });

    it('says that no replication slot is free', async () => {
      const source = await loaded({ settings: ['max_replication_slots = 1'] });
      await source.query("SELECT pg_create_physical_replication_slot('standby')");
      const full = { code: 'source-refused', message: expect.stringContaining('slot') as string };
      await expect(check(source.address)).rejects.toMatchObject(full);
      await expect(backup(source.address)).rejects.toMatchObject({ code: 'source-refused' });
    });

    it('says that nobody is there', async () => {
      await expect(check('postgresql://postgres@127.0.0.1:1/?method=physical')).rejects.toMatchObject({
        code: 'source-lost',
      });
      await expect(check('postgresql://postgres@/?host=/nowhere&method=physical')).rejects.toMatchObject({
        code: 'source-missing',
      });
    });
  });

  describe('over TLS', () => {
    let secured: Cluster;
    let authority: string;

    beforeAll(async () => {
      secured = await loaded({ tcp: true });
      made.length = 0;
      authority = await encrypt(secured, binaries);
      const lines = [
        'local all all trust',
        ...['all', 'replication'].map((what) => `hostssl ${what} all 127.0.0.1/32 scram-sha-256`),
      ];
      await writeFile(join(secured.data, 'pg_hba.conf'), `${lines.join('\n')}\n`);
      await secured.query('SELECT pg_reload_conf()');
    });

    afterAll(() => secured.remove());

    it.each(['prefer', 'require', 'verify-ca&sslrootcert=', 'verify-full&sslrootcert='])(
      'works with sslmode=%s',
      async (mode) => {
        const address = `${tcp(secured, 'copier')}&sslmode=${mode}${mode.endsWith('=') ? authority : ''}`;
        const { captured } = await backup(address, { password: 'secret' });
        expect(existsSync(join(captured, 'respaldo.json'))).toBe(true);
      },
    );

    it('refuses a certificate of an unknown authority', async () => {
      const address = `${tcp(secured, 'copier')}&sslmode=verify-full`;
      await expect(check(address, { password: 'secret' })).rejects.toMatchObject({
        code: 'source-refused',
        hint: expect.stringContaining('sslrootcert') as string,
      });
    });

    it('refuses a certificate of another host', async () => {
      const address = `${tcp(secured, 'copier').replace('127.0.0.1', 'localhost')}&sslmode=verify-full&sslrootcert=${authority}`;
      await expect(check(address, { password: 'secret' })).rejects.toMatchObject({ code: 'source-refused' });
      const loose = address.replace('verify-full', 'verify-ca');
      expect(await check(loose, { password: 'secret' })).toEqual([]);
    });

    it('is what the server demands, and is told so', async () => {
      const address = `${tcp(secured, 'copier')}&sslmode=disable`;
      await expect(check(address, { password: 'secret' })).rejects.toMatchObject({ code: 'source-refused' });
      const plain = `${tcp(shared, 'copier')}&sslmode=require`;
      await expect(check(plain, { password: 'secret' })).rejects.toMatchObject({
        code: 'source-refused',
        message: expect.stringContaining('does not support TLS') as string,
      });
    });
  });

  it('is ready where everything is in order, and notes missing checksums', async () => {
    expect(await check(shared.address)).toEqual([]);
    const source = await loaded({ initdb: oldest ? [] : ['--no-data-checksums'] });
    expect(await check(source.address)).toMatchObject([{ code: 'checksums-off' }]);
  });

  /** A started server with the test's rows; removed after the test. */
  async function loaded(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create(binaries, options);
    made.push(cluster);
    await cluster.start();
    await cluster.session(async (client) => {
      for (const statement of LOAD) await client.query(statement);
    });
    return cluster;
  }

  async function backup(
    address: string,
    options: Partial<SourceOptions> = {},
    capture: CaptureOptions = { type: 'full' },
    onEntry: (entry: Entry) => Promise<void> | void = () => undefined,
    signal?: AbortSignal,
  ): Promise<{ captured: string; entries: Entry[]; findings: Finding[] }> {
    const findings: Finding[] = [];
    const captured = await mkdtemp(join(folder, 'captured-'));
    const entries = source(address, options).capture(io(findings, signal), capture);
    return { captured, entries: await writeEntries(watched(entries, onEntry), captured), findings };
  }

  async function restored(captured: string, findings: Finding[] = []): Promise<string> {
    const data = join(await mkdtemp(join(folder, 'restored-')), 'data');
    await chmod(join(data, '..'), 0o755);
    await postgres.restore(readableFolder(captured), restoreTarget(captured, data), io(findings));
    return data;
  }

  async function started(data: string): Promise<Cluster> {
    const cluster = await Cluster.on(binaries, data);
    made.push(cluster);
    await cluster.start();
    return cluster;
  }

  /** PostgreSQL's own judgement; Debian's version knows manifests of its own age. */
  async function verifyBackup(data: string, flags: readonly string[] = []): Promise<void> {
    if (oldest) await run(VERIFY_BACKUP, ['--no-parse-wal', ...flags, data]);
  }

  /** As Debian has it: configuration in a folder of its own, with another one included. */
  async function moveConfiguration(cluster: Cluster): Promise<string> {
    const etc = join(cluster.folder, 'etc');
    await ownFolder(etc);
    await ownFolder(join(etc, 'conf.d'));
    await cluster.stop();
    for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf'])
      await rename(join(cluster.data, name), join(etc, name));
    await appendFile(
      join(etc, 'postgresql.conf'),
      `data_directory = '${cluster.data}'\nhba_file = '${etc}/pg_hba.conf'\nident_file = '${etc}/pg_ident.conf'\nwork_mem = 5MB\nssl_ca_file = '${etc}/ca.pem'\ninclude_dir = 'conf.d'\n`,
    );
    await writeFile(join(etc, 'ca.pem'), '');
    await writeFile(join(etc, 'conf.d', 'memory.conf'), "maintenance_work_mem = '77MB'\n");
    await cluster.start([`-c config_file=${etc}/postgresql.conf`]);
    return etc;
  }

  async function ownFolder(path: string): Promise<void> {
    await mkdir(path);
    if (binaries.user !== undefined) await chown(path, binaries.user.uid, binaries.user.gid);
  }
});

function source(address: string, options: Partial<SourceOptions> = {}): Source {
  return postgres.open(address, {
    workingDirectory: '/',
    selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
    acceptDamagedPages: false,
    ...options,
  });
}

function check(address: string, options: Partial<SourceOptions> = {}): Promise<readonly Finding[]> {
  return source(address, options).check(io());
}

function io(findings: Finding[] = [], signal = new AbortController().signal): SourceIo {
  return {
    runtime: new HostRuntime(),
    signal,
    report: (finding) => findings.push(finding),
    expect: () => undefined,
  };
}

function tcp(cluster: Cluster, user: string, port = cluster.port): string {
  return `postgresql://${user}@127.0.0.1:${String(port)}/?method=physical`;
}

async function* watched(
  entries: AsyncIterable<Entry>,
  onEntry: (entry: Entry) => Promise<void> | void,
): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    await onEntry(entry);
    yield entry;
  }
}

/** Reads everything and keeps nothing. */
async function drain(from: Source): Promise<void> {
  for await (const entry of from.capture(io(), { type: 'full' })) {
    if (entry.kind !== 'file') continue;
    for await (const piece of entry.content) expect(piece.length).toBeGreaterThan(0);
  }
}

async function flipByte(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, offset);
  } finally {
    await file.close();
  }
}
