import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Assertion } from '../../src/domain/drill.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { RespaldoError } from '../../src/errors.ts';
import { backup, type BackupOutcome } from '../../src/operations/backup.ts';
import { planRestore, restore } from '../../src/operations/restore.ts';
import { verify, type VerifyOutcome } from '../../src/operations/verify.ts';
import { openRuntime } from '../../src/runtimes/index.ts';
import { openSource, SOURCE_KINDS } from '../../src/sources/index.ts';
import type { SourceIo } from '../../src/sources/source.ts';
import { BACKUP_REQUEST, bench, type Bench } from '../fixtures/bench.ts';
import { BIN, Workplace } from '../fixtures/cli.ts';
import { canMount } from '../fixtures/mount.ts';

const WRITER = path.join(import.meta.dirname, '../fixtures/sqlite-writer.ts');
const ACCOUNTS = `
  CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER NOT NULL, note TEXT);
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
  INSERT INTO account SELECT i, 100, hex(randomblob(100)) FROM n;
  CREATE INDEX by_note ON account (note);`;

describe('A SQLite database', () => {
  let place: Bench;
  let file: string;

  beforeEach(async () => {
    place = await bench();
    await mkdir(path.join(place.folder, 'temporary'));
    vi.stubEnv('TMPDIR', path.join(place.folder, 'temporary'));
    file = path.join(place.folder, 'shop.db');
  });

  afterEach(async () => {
    expect(await readdir(path.join(place.folder, 'temporary'))).toEqual([]);
    vi.unstubAllEnvs();
    await place[Symbol.asyncDispose]();
  });

  it.each(['wal', 'delete'])(
    'is consistent while somebody writes it, and we read its file, in mode %s',
    async (mode) => {
      fill(file, `PRAGMA journal_mode = ${mode}; ${ACCOUNTS}`);
      const writer = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      const gone = once(writer, 'exit');
      const enough = new AbortController();
      // Whoever closes a file gives up all locks that his process has on it.
      const reading = (async () => {
        while (!enough.signal.aborted) await readFile(file);
      })();
      try {
        await once(writer.stdout, 'data');
        for (let turn = 0; turn < 2; turn++) {
          const restored = await bringBack((await take()).snapshot);
          expect(rowsOf(restored, 'SELECT sum(money) AS money, count(*) AS rows FROM account')).toEqual([
            { money: 500_000, rows: 5000 },
          ]);
          expect(rowsOf(restored, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
        }
        expect(writer.exitCode).toBeNull();
      } finally {
        enough.abort();
        await reading;
        writer.kill('SIGKILL');
        await gone;
      }
    },
  );

  it('is whole although its last commits are only in its log, and still is one with a log', async () => {
    using database = new DatabaseSync(file);
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA user_version = 7; PRAGMA application_id = 1196444487; ${ACCOUNTS}`,
    );
    database.exec("INSERT INTO account VALUES (9999, 1, 'the last one')");
    const { snapshot } = await take();
    const restored = await bringBack(snapshot);
    expect(rowsOf(restored, 'SELECT note FROM account WHERE id = 9999')).toEqual([{ note: 'the last one' }]);
    expect(rowsOf(restored, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(rowsOf(restored, 'PRAGMA application_id')).toEqual([{ application_id: 1_196_444_487 }]);
    expect(await factsOf(snapshot)).toMatchObject({
      kind: 'sqlite',
      type: 'full',
      file: 'shop.db',
      original: file,
      journalMode: 'wal',
      pageBytes: 4096,
      userVersion: 7,
      applicationId: 1_196_444_487,
      tables: [
        { name: 'account', rows: 5001 },
        { name: 'sqlite_schema', rows: 2 },
      ],
    });
  });

  it('stores nothing of what has not changed, and little of what has', async () => {
    fill(file, ACCOUNTS);
    const first = await take();
    const same = await take();
    expect(same.summary.filesUnmodified).toBeGreaterThan(0);
    expect(same.summary.dataAdded).toBeLessThan(first.summary.dataAdded / 100);
    fill(file, "UPDATE account SET note = 'x' WHERE id = 77");
    expect((await take()).summary.dataAdded).toBeLessThan(first.summary.dataAdded / 10);
  });

  it.each(['a b?#%20.db', "it's\n.db", '-ñ.db', 'nodot'])('may be called %j', async (name) => {
    file = path.join(place.folder, name);
    fill(file, 'CREATE TABLE "od""d" (x); INSERT INTO "od""d" VALUES (1)');
    const restored = await bringBack((await take()).snapshot);
    expect(path.basename(restored)).toBe(name);
    expect(rowsOf(restored, 'SELECT x FROM "od""d"')).toEqual([{ x: 1 }]);
  });

  it('is refused for what it is not', async () => {
    const refused: Record<string, readonly [code: string, message: RegExp]> = {
      missing: ['source-missing', /missing does not exist/],
      empty: ['source-missing', /empty is empty/],
      encrypted: ['source-refused', /no SQLite database, or an encrypted one/],
      folder: ['source-refused', /folder is no file/],
    };
    await writeFile(path.join(place.folder, 'empty'), '');
    await writeFile(path.join(place.folder, 'encrypted'), Buffer.alloc(8192, 0xa7));
    await mkdir(path.join(place.folder, 'folder'));
    for (const [name, [code, message]] of Object.entries(refused)) {
      file = path.join(place.folder, name);
      const failure = await take().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RespaldoError);
      expect(failure).toMatchObject({ code, message: expect.stringMatching(message) as string });
      expect((failure as RespaldoError).hint).toBeDefined();
    }
    expect(() => openSource('sqlite:', optionsIn('/'))).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });

  it('that somebody has locked is told, after some patience', async () => {
    fill(file, ACCOUNTS);
    using database = new DatabaseSync(file);
    database.exec('BEGIN EXCLUSIVE');
    await expect(take()).rejects.toMatchObject({
      code: 'source-refused',
      message: expect.stringMatching(/is locked/) as string,
    });
  });

  it('whose writer was ended in a transaction is told, and left for its application to mend', async () => {
    fill(file, ACCOUNTS);
    const left = path.join(place.folder, 'left.db');
    using database = new DatabaseSync(file);
    database.exec("PRAGMA cache_size = 10; BEGIN; UPDATE account SET note = 'x'");
    await copyFile(file, left);
    await copyFile(`${file}-journal`, `${left}-journal`);
    file = left;
    const before = await readFile(left);
    await expect(take()).rejects.toMatchObject({
      code: 'source-refused',
      message: expect.stringContaining('in the middle of a transaction') as string,
    });
    expect(await readFile(left)).toEqual(before);
    fill(left, 'SELECT 1 FROM sqlite_schema');
    expect(
      rowsOf(await bringBack((await take()).snapshot), "SELECT count(*) AS n FROM account WHERE note = 'x'"),
    ).toEqual([{ n: 0 }]);
  });

  it('that is damaged is no snapshot, unless that was accepted', async () => {
    fill(file, ACCOUNTS);
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(3000, 0xff), 0, 3000, 4096 * 30);
    await handle.close();
    await expect(take()).rejects.toMatchObject({
      code: 'source-damaged',
      message: expect.stringContaining(file) as string,
    });
    const accepted = await take(true);
    expect(accepted.state).toBe('incomplete');
    expect(accepted.findings.map(({ code }) => code)).toContain('pages-damaged');
    const page = (whole: Buffer) => whole.subarray(4096 * 30, 4096 * 31);
    const restored = await readFile(await bringBack(accepted.snapshot, 'incomplete'));
    expect(page(restored)).toEqual(page(await readFile(file)));
  });

  it('is stored with a word on what is odd about it', async () => {
    fill(
      file,
      'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p (id)); PRAGMA foreign_keys = OFF;',
    );
    fill(file, 'PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (7)');
    using database = new DatabaseSync(file);
    database.function('mine', { deterministic: true }, (value) => value);
    database.exec('CREATE INDEX by_mine ON c (mine(p))');
    const { state, findings, snapshot } = await take();
    expect(state).toBe('succeeded');
    expect(findings).toMatchObject([
      { severity: 'note', code: 'integrity-unchecked', message: expect.stringContaining('mine') as string },
      { severity: 'note', code: 'references-broken', message: expect.stringContaining('1 rows') as string },
    ]);
    await expect(prove(snapshot)).rejects.toMatchObject({ code: 'target-refused' });
  });

  it('is copied where nobody else may look, and the copy goes, even if it is left early', async () => {
    fill(file, ACCOUNTS);
    const capture = openSource(`sqlite:${file}`, optionsIn('/')).capture(ioOf(), { type: 'full' });
    for await (const entry of capture) {
      expect(entry.kind).toBe('directory');
      const [folder = ''] = await readdir(tmpdir());
      expect((await stat(path.join(tmpdir(), folder))).mode & 0o777).toBe(0o700);
      expect((await stat(path.join(tmpdir(), folder, 'copy'))).mode & 0o777).toBe(0o600);
      break;
    }
    expect(await readdir(tmpdir())).toEqual([]);
  });

  it('is no file of a container', async () => {
    fill(file, ACCOUNTS);
    const container = { kind: 'docker', container: 'shop', labels: [] } as const;
    const runtime = await openRuntime(container, {}, systemClock);
    const source = openSource(`sqlite:${file}`, optionsIn('/'));
    await expect(source.check({ ...ioOf(), runtime })).rejects.toMatchObject({ code: 'usage' });
  });

  it('has a portable copy that any SQLite opens', async () => {
    fill(file, ACCOUNTS);
    const files = openSource(`sqlite:${file}`, optionsIn('/')).portable?.(ioOf()) ?? [];
    for await (const portable of files) {
      const { name, extension, content } = portable;
      expect({ name, extension }).toEqual({ name: 'shop', extension: 'sqlite' });
      const plain = Buffer.concat(await Array.fromAsync(content));
      expect(portable.about().versions).toEqual({ SQLite: process.versions['sqlite'] });
      await mkdir(path.join(place.folder, 'by-hand'));
      execFileSync('sh', ['-c', portable.about().restoreCommand], {
        cwd: path.join(place.folder, 'by-hand'),
        input: plain,
      });
    }
    expect(rowsOf(path.join(place.folder, 'by-hand/shop.db'), 'SELECT count(*) AS n FROM account')).toEqual([
      { n: 5000 },
    ]);
  });

  it('is restored under its name only when it is whole, and not beside what could be its log', async () => {
    fill(file, ACCOUNTS);
    const { snapshot } = await take();
    const target = path.join(place.folder, 'target');
    await mkdir(target);
    await writeFile(path.join(target, 'shop.db-wal'), 'of another database');
    await expect(bringBackInto(target, snapshot)).rejects.toMatchObject({ code: 'target-not-empty' });
    expect(await readdir(target)).toEqual(['shop.db-wal']);
  });

  it('is proven by a restore, its record and what the plan asserts', async () => {
    fill(file, ACCOUNTS);
    const { snapshot } = await take();
    const proven = await prove(snapshot, [
      { sql: 'SELECT count(*) > 0 FROM account' },
      { sql: 'SELECT sum(money) FROM account;', equals: 500_000 },
      { sql: "SELECT 'x' -- a comment", equals: 'x', database: 'shop.db' },
    ]);
    expect(proven.state).toBe('proven');
    expect(proven.report.checks.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
      'integrity: ok',
      'rows: 5002 rows in 2 tables, as in its record',
      'assertion SELECT count(*) > 0 FROM account: true',
      'assertion SELECT sum(money) FROM account: 500000',
      "assertion SELECT 'x' -- a comment: x",
    ]);
    const refuted = await prove(snapshot, [
      { sql: 'SELECT count(*) FROM account', atMost: 10 },
      { sql: 'SELECT 0' },
      { sql: 'DELETE FROM account' },
    ]);
    expect(refuted.state).toBe('refuted');
    expect(refuted.report.checks.slice(2).map(({ passed, detail }) => [passed, detail])).toEqual([
      [false, 'it is 5000, and may be at most 10'],
      [false, 'it is false instead of true'],
      [false, expect.stringContaining('syntax error')],
    ]);
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n';
    expect((await prove(snapshot, [{ sql: endless }], 1)).report.checks.at(-1)).toMatchObject({
      passed: false,
      detail: 'it may take 1 s: drill.timeout',
    });
    await expect(prove(snapshot, [{ sql: 'SELECT 1', database: 'other' }])).rejects.toMatchObject({ code: 'config' });
  });

  it('needs room for its copy, which may be on another disk, and may lie on a disk that is read-only', async ({
    skip,
  }) => {
    skip(!canMount(), 'this needs root, and a system that lets it mount');
    await using work = await Workplace.withRepository();
    fill(file, `PRAGMA journal_mode = WAL; ${ACCOUNTS}`);
    const disk = work.path('disk');
    await mkdir(disk);
    const script = `set -e
      mount -t tmpfs -o size=4m tmpfs "$2"
      cp "$3" "$2/shop.db"
      head -c 1500000 /dev/zero >"$2/full"
      if TMPDIR=$2 "$1" backup "sqlite:$2/shop.db" 2>&1; then exit 9; fi
      rm "$2/full"; ls -A "$2"
      mount -o remount,ro "$2"
      "$1" backup "sqlite:$2/shop.db" 2>&1`;
    const told = execFileSync('unshare', ['--mount', 'sh', '-c', script, 'sh', BIN, disk, file], {
      env: { ...work.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH ?? ''}` },
      encoding: 'utf8',
    });
    expect(told).toMatch(/a copy of the database takes \d+ bytes, and .*disk has \d+ free/);
    expect(told).toContain('TMPDIR');
    expect(told).toMatch(/^shop\.db$/m);
    expect(told).toMatch(/snapshot [0-9a-f]{8} saved/);
  });

  function ioOf(report: (finding: Finding) => void = () => undefined): SourceIo {
    return { runtime: place.runtime, signal: place.signal, report, expect: () => undefined };
  }

  async function take(acceptDamagedPages = false): Promise<BackupOutcome> {
    const source = openSource(`sqlite:${file}`, { ...optionsIn('/'), acceptDamagedPages });
    return backup({ ...BACKUP_REQUEST, source }, { ...place, clock: systemClock }, place.signal);
  }

  /** @returns the restored file */
  async function bringBack(snapshot: Snapshot | undefined, expected = 'succeeded'): Promise<string> {
    const target = await mkdtemp(path.join(place.folder, 'target-'));
    const [name = '', ...others] = await bringBackInto(target, snapshot, expected);
    expect(others).toEqual([]);
    return path.join(target, name);
  }

  async function bringBackInto(
    target: string,
    snapshot: Snapshot | undefined,
    expected = 'succeeded',
  ): Promise<string[]> {
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const ports = { ...place, kinds: SOURCE_KINDS };
    const request = { snapshot, target, include: [], exclude: [], dryRun: false };
    const { state } = await restore(await planRestore(request, ports, place.signal), ports, place.signal);
    expect(state).toBe(expected);
    return readdir(target);
  }

  async function factsOf(snapshot: Snapshot | undefined): Promise<unknown> {
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const bytes = await place.repository.readable(snapshot, place.signal).read('/respaldo.json');
    return JSON.parse(Buffer.from(bytes ?? []).toString());
  }

  function prove(
    snapshot: Snapshot | undefined,
    assertions: readonly Assertion[] = [],
    timeoutSeconds = 60,
  ): Promise<VerifyOutcome> {
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const openSandbox = () => Promise.reject(new Error('no container is wanted here'));
    const ports = { ...place, kinds: SOURCE_KINDS, clock: systemClock, openSandbox };
    return verify({ snapshot, settings: { assertions, timeoutSeconds }, folder: tmpdir() }, ports, place.signal);
  }
});

function optionsIn(workingDirectory: string) {
  const selection = { exclude: [], oneFileSystem: false, excludeCaches: false };
  return { workingDirectory, selection, acceptDamagedPages: false };
}

function fill(file: string, sql: string): void {
  using database = new DatabaseSync(file);
  database.exec(sql);
}

function rowsOf(file: string, sql: string): unknown {
  using database = new DatabaseSync(file, { readOnly: true });
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}
