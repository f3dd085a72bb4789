/** Archives through the command line: several destinations of one plan, keys, checksums, servers, and what goes wrong. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { gpgHome, makeGpgKey } from '../fixtures/gpg.ts';
import { canMount } from '../fixtures/mount.ts';
import { Cluster, DEBIAN_15, debianBinaries } from '../fixtures/postgres.ts';
import { processesOfHost } from '../fixtures/processes.ts';

interface Listed {
  readonly archive: string;
  readonly key: string;
  readonly database: string;
  readonly restore: string;
  readonly state: string;
}

/** A folder `data`, and a configuration. */
async function workplace(config: string): Promise<Workplace> {
  const place = await Workplace.make();
  await mkdir(place.path('data/sub'), { recursive: true });
  await writeFile(place.path('data/a.txt'), 'hello\n');
  await writeFile(place.path('data/sub/b.bin'), Buffer.alloc(3_000_000, 'b7'));
  await writeFile(place.path('respaldo.yaml'), config, { mode: 0o600 });
  return place;
}

async function listed(place: Workplace, ...options: string[]): Promise<readonly Listed[]> {
  return JSON.parse(await place.ok('archive', 'list', '--json', ...options)) as Listed[];
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const PASSPHRASE = 'una frase larga y secreta';

describe('A plan with several destinations', () => {
  it('stores in each that works, says which does not, and fails', async () => {
    await using place = await workplace(`
repositories: { main: { url: ./repository } }
archives:
  here: { url: ./here }
  lost: { url: /proc/none }
  same: { url: ./same }
plans: { files: { source: ./data, repository: main, archives: [here, lost, same] } }\n`);
    await place.makeRepository();
    const { code, stdout, stderr } = await place.respaldo('backup', 'files', '--json');
    expect(code).toBe(1);
    const told = messages(stdout).filter(({ message_type: type }) => type === 'archive');
    expect(told.map(({ archive, status }) => `${String(archive)} ${String(status)}`).toSorted()).toEqual([
      'here succeeded',
      'lost failed',
      'same succeeded',
    ]);
    expect(stderr).toContain('archive lost');
    expect(await place.ok('snapshots', '--json')).toContain('"plan=files"');
    const [here, same] = await listed(place);
    expect([here?.archive, same?.archive]).toEqual(['here', 'same']);
    const bytes = (name: string) => readFile(place.path(`${name}/${here?.key ?? ''}`));
    expect((await bytes('here')).equals(await bytes('same'))).toBe(true);
    const runs = JSON.parse(await place.ok('runs', '--json')) as { repository: string; outcome: { state: string } }[];
    expect(runs.map(({ repository, outcome }) => `${repository} ${outcome.state}`).toSorted()).toEqual([
      '/proc/none failed',
      `${place.path('here')} succeeded`,
      `${place.path('repository')} failed`,
      `${place.path('same')} succeeded`,
    ]);
  });

  it('goes to its archives although the repository cannot be opened, and to no repository that it does not name', async () => {
    await using place = await workplace(`
repositories: { main: { url: ./nowhere, password: { env: RESPALDO_PASSWORD } } }
archives: { here: { url: ./here, compression: xz } }
plans:
  both: { source: ./data, repository: main, archives: here }
  only: { source: ./data, archives: here }\n`);
    const env = { RESPALDO_REPOSITORY: '' };
    const both = await place.start(['backup', 'both'], env).ended;
    expect(both).toMatchObject({ code: 10, stderr: expect.stringContaining('repository main') as string });
    const only = await place.start(['backup', 'only'], env).ended;
    expect(only).toMatchObject({ code: 0, stderr: '' });
    expect(await listed(place)).toHaveLength(2);
  });

  it('is refused before anything is read where a key has expired, and the other archive is written', async () => {
    await using ring = await gpgHome();
    makeGpgKey(ring.home, 'Old <old@example.com>', 'expired');
    await using place = await workplace(`
archives:
  here: { url: ./here }
  crypt: { url: ./crypt, encryption: team }
encryptions: { team: { gpg: { recipients: [old@example.com], home: ${ring.home} } } }
plans: { files: { source: ./data, archives: [here, crypt] } }\n`);
    const { code, stderr } = await place.respaldo('backup', 'files');
    expect([code, stderr]).toEqual([2, expect.stringContaining('has expired') as string]);
    expect(await listed(place, '--archive', 'here')).toHaveLength(1);
    expect(await filesBelow(place.path('crypt')).catch(() => [])).toEqual([]);
  });

  it.skipIf(!canMount())('leaves nothing half-made on a full disk, and sends it again when there is room', async () => {
    await using place = await workplace(`
archives:
  here: { url: ./here, compression: none }
  small: { url: ./small/archives, compression: none, temp: ./temp }
  tight: { url: ./tight, compression: gzip, level: 1, temp: ./small/temp }
plans: { files: { source: ./data, archives: [here, small, tight] } }\n`);
    await writeFile(place.path('data/noise'), randomBytes(3_000_000));
    await mkdir(place.path('small'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place.path('small')]);
    try {
      const { code, stderr } = await place.respaldo('backup', 'files');
      expect(code).toBe(1);
      expect(stderr).toMatch(/archive small: .*no space left/);
      expect(stderr).toMatch(/archive tight: .*no space left/);
      expect(await listed(place, '--archive', 'tight')).toEqual([]);
      expect(await filesBelow(place.path('tight'))).toEqual([]);
      expect(stderr).toContain(`It is whole in ${place.path('temp/small')}`);
      expect(await filesBelow(place.path('small'))).toEqual([]);
      expect(await listed(place, '--archive', 'here')).toHaveLength(1);
      execFileSync('mount', ['-o', 'remount,size=30m', place.path('small')]);
      await place.ok('backup', 'files');
      expect(await listed(place, '--archive', 'small')).toHaveLength(2);
      expect(await filesBelow(place.path('temp'))).toEqual([]);
      expect(await listed(place, '--archive', 'tight')).toHaveLength(1);
      await place.ok('archive', 'verify');
    } finally {
      execFileSync('umount', [place.path('small')]);
    }
  });

  it('that is killed leaves nothing under a final name, and shows no secret while it runs', async () => {
    await using place = await workplace(`
archives: { here: { url: ./here, compression: bzip2, encryption: vault } }
encryptions: { vault: { gpg: { passphrase: { env: VAULT } } } }
plans: { files: { source: ./data, archives: here } }\n`);
    await writeFile(
      place.path('data/large'),
      execFileSync('head', ['-c', '60M', '/dev/urandom'], { maxBuffer: 1 << 27 }),
    );
    const { child, ended } = place.start(['backup', 'files'], { VAULT: PASSPHRASE });
    const begun = async () => (await filesBelow(place.path('here')).catch(() => [])).join();
    await expect.poll(begun, { timeout: 30_000, interval: 20 }).toContain('-tmp-');
    await expect.poll(() => processesOfHost('--passphrase-fd 3')).not.toEqual([]);
    expect(await processesOfHost(PASSPHRASE)).toEqual([]);
    child.kill('SIGKILL');
    await ended;
    const left = await filesBelow(place.path('here'));
    expect(left.filter((name) => !name.includes('-tmp-'))).toEqual([]);
    expect(await listed(place)).toEqual([]);

    // What it left goes with the next run; what another process writes now, and what is not ours, stays.
    const kept = ['a-20260102T030405Z.tar-tmp-0011223344556677', 'notes-tmp-1', `${left[0] ?? ''}0`];
    for (const name of kept) await writeFile(place.path(`here/${name}`), '');
    await rm(place.path('data/large'));
    await place.start(['backup', 'files'], { VAULT: PASSPHRASE }).ended;
    const after = await filesBelow(place.path('here'));
    expect(after.filter((name) => name.includes('-tmp-')).toSorted()).toEqual(kept.toSorted());
    expect(await listed(place)).toHaveLength(1);
  });
});

describe('A file of an archive', () => {
  it('is verified and restored with the right key, and says which one a wrong one is not', async () => {
    await using ring = await gpgHome();
    await using empty = await gpgHome();
    const fingerprint = makeGpgKey(ring.home, 'Backups <backups@example.com>');
    await using place = await workplace(`
archives:
  crypt: { url: ./crypt, compression: zstd, encryption: team }
  vault: { url: ./vault, compression: bzip2, encryption: vault }
encryptions:
  team: { gpg: { recipients: [backups@example.com], home: ${ring.home} } }
  vault: { age: { passphrase: { env: VAULT } } }
plans: { files: { source: ./data, archives: [crypt, vault] } }\n`);
    const run = (env: NodeJS.ProcessEnv, ...argv: string[]) => place.start(argv, { VAULT: PASSPHRASE, ...env }).ended;
    expect(await run({}, 'backup', 'files')).toMatchObject({ code: 0, stderr: '' });
    expect(await run({}, 'archive', 'verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 files verified') as string,
    });
    expect(await run({}, 'archive', 'restore', 'latest', '--archive', 'crypt', '--target', 'out')).toMatchObject({
      code: 0,
    });
    await place.run('diff', '-r', 'data', 'out/data');

    const wrong = await run({ VAULT: 'otra' }, 'archive', 'verify', '--archive', 'vault');
    expect(wrong).toMatchObject({ code: 12, stderr: expect.stringContaining('does not open this file') as string });
    const config = await readFile(place.path('respaldo.yaml'), 'utf8');
    await writeFile(place.path('respaldo.yaml'), config.replace(ring.home, empty.home));
    const missing = await run({}, 'archive', 'restore', 'latest', '--archive', 'crypt', '--target', 'other');
    expect(missing).toMatchObject({ code: 12, stderr: expect.stringContaining(`${fingerprint} Backups`) as string });
    expect(await filesBelow(place.path('other'))).toEqual([]);
  });

  it('that is damaged, cut or gone is refused before anything is restored', async () => {
    await using place = await workplace(`
archives: { here: { url: ./here } }
plans: { files: { source: ./data, archives: here } }\n`);
    await place.ok('backup', 'files');
    const [file] = await listed(place);
    const path = place.path(`here/${file?.key ?? ''}`);
    const whole = await readFile(path);
    const changed = Buffer.from(whole);
    changed[2000] = (changed[2000] ?? 0) ^ 1;
    await writeFile(path, changed);
    for (const argv of [['verify'], ['restore', 'latest', '--target', 'out']]) {
      const { code, stderr } = await place.respaldo('archive', ...argv);
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('SHA-256') as string });
    }
    expect(await readdir(place.path('out'))).toEqual([]);
    await truncate(path, whole.length - 1);
    expect((await place.respaldo('archive', 'verify')).stderr).toContain('does not have the');
    await rm(path);
    expect(await listed(place)).toMatchObject([{ state: 'missing' }]);
    expect((await place.respaldo('archive', 'restore', 'latest', '--target', 'out')).stderr).toContain('is gone');
  });

  it('is found without a configuration, by the address of its archive', async () => {
    await using place = await workplace(`
archives: { here: { url: ./here } }
plans: { files: { source: ./data, archives: here } }\n`);
    await place.ok('backup', 'files');
    await rm(place.path('respaldo.yaml'));
    await place.ok('archive', 'verify', '--archive', './here');
    await place.ok('archive', 'restore', 'data-', '--archive', './here', '--target', 'out');
    await place.run('diff', '-r', 'data', 'out/data');
    const none = await place.respaldo('archive', 'restore', 'nothing', '--archive', './here', '--target', 'other');
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no file nothing') as string });
    expect(await place.respaldo('archive', 'verify', '--archive', 'hear')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no archive hear') as string,
    });
    expect(await place.respaldo('archive', 'verify', '--archive', './here', '--plan', 'flies')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no file to verify') as string,
    });
  });
});

describe('An archive without files', () => {
  it('is told with its place, which may be the wrong one', async () => {
    await using place = await workplace(`
archives: { here: { url: ./here }, hear: { url: ./hear } }
plans: { files: { source: ./data, archives: here } }\n`);
    await place.ok('backup', 'files');
    const list = await place.ok('archive', 'list');
    expect(list).toContain(`archive hear: there is no such file in ${place.path('hear')}`);
    expect(list).not.toContain('archive here:');
    expect(await place.ok('archive', 'list', '--plan', 'flies')).toContain(`no such file in ${place.path('here')}`);
    expect(await place.respaldo('archive', 'verify', '--archive', 'hear')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`there is no file to verify in ${place.path('hear')}`) as string,
    });
  });
});

describe('Files that nobody needs any more', () => {
  it('are shown, and removed when that is wanted, from every archive', async () => {
    await using place = await workplace(`
archives: { here: { url: ./here }, there: { url: ./there } }
plans: { files: { source: ./data, archives: [here, there], keep: { last: 2 } } }\n`);
    for (let run = 0; run < 3; run++) await place.ok('backup', 'files');
    const before = await listed(place);
    expect(before).toHaveLength(6);
    expect(await place.ok('archive', 'forget', '--dry-run')).toContain('2 files to stay, 1 to go');
    expect(await place.respaldo('archive', 'forget')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes') as string,
    });
    expect(await listed(place)).toHaveLength(6);
    expect(await place.ok('archive', 'forget', '--yes')).toContain('removed 2 files');
    expect(await listed(place)).toEqual(before.slice(2));
    expect((await filesBelow(place.path('here'))).length).toBe(4);
    await place.ok('archive', 'verify');
  });
});

describe.skipIf(!existsSync(DEBIAN_15))('Databases of PostgreSQL in an archive', () => {
  it('are a file each, restored by hand and into a server; one that fails costs no other', async () => {
    await using stack = new AsyncDisposableStack();
    const binaries = await debianBinaries();
    stack.defer(() => binaries.remove());
    const server = await Cluster.create(binaries);
    stack.defer(() => server.remove());
    await server.start();
    const psql = (database: string, sql: string, user = 'postgres') =>
      execFileSync(
        join(DEBIAN_15, 'psql'),
        ['-XAtq', '-h', server.folder, '-p', String(server.port), '-U', user, '-d', database, '-v', 'ON_ERROR_STOP=1'],
        { input: sql, encoding: 'utf8' },
      );
    psql(
      'postgres',
      `CREATE ROLE dumper LOGIN; CREATE DATABASE shop; CREATE DATABASE "año/1 =x"; CREATE DATABASE globals;`,
    );
    psql(
      'shop',
      'CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 5000) AS i; GRANT SELECT ON orders TO dumper',
    );
    psql("dbname='año/1 =x'", 'CREATE TABLE closed (a int)');
    const address = (user: string, database: string) =>
      `postgresql://${user}@/${database}?host=${encodeURIComponent(server.folder)}&port=${String(server.port)}`;
    await using place = await workplace(`
archives: { sql: { url: ./sql, name: "{plan}-{database}-{time}" } }
plans:
  all: { source: "${address('postgres', '')}&method=logical", archives: sql }
  some: { source: "${address('dumper', '')}&method=logical", archives: sql }\n`);
    await place.ok('backup', 'all');
    const files = await listed(place);
    expect(files.map(({ database }) => database).toSorted()).toEqual([
      ...['año/1 =x', 'globals', 'globals-', 'postgres', 'shop'],
    ]);
    const roles = await place.respaldo(
      'archive',
      'restore',
      'latest',
      '--database',
      'globals-',
      '--to',
      address('', 'x'),
    );
    expect(roles).toMatchObject({ code: 2, stderr: expect.stringContaining('holds roles and tablespaces') as string });
    expect(files.map(({ key }) => key).toSorted()[0]).toMatch(/^all-año%2f1%20=x-\d{8}T\d{6}Z\.sql\.gz$/);

    // Straight from the archive: there is no place for a file in between.
    const argv = ['archive', 'restore', 'latest', '--database', 'shop', '--to', address('postgres', 'copy')];
    expect(await place.start(argv, { TMPDIR: '/proc/none' }).ended).toMatchObject({ code: 0 });
    const sum = 'SELECT count(*), md5(string_agg(text, NULL ORDER BY id)) FROM orders';
    expect(psql('copy', sum)).toBe(psql('shop', sum));

    const shop = files.find(({ database }) => database === 'shop');
    const stored = place.path(`sql/${shop?.key ?? ''}`);
    const whole = await readFile(stored);
    await writeFile(stored, Buffer.from(whole).fill(0, whole.length - 5, whole.length - 4));
    psql('copy', 'DELETE FROM orders WHERE id > 7');
    expect(await place.respaldo(...argv, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/damaged|SHA-256/) as string,
    });
    expect(psql('copy', 'SELECT count(*) FROM orders').trim()).toBe('7');
    await writeFile(stored, whole);
    const other = await place.respaldo(...argv.slice(0, -1), 'mysql://root@localhost/copy');
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be restored into') as string });

    psql('postgres', 'DROP DATABASE copy');
    psql('postgres', 'CREATE DATABASE copy');
    const byHand = (shop?.restore ?? '').replace(/--dbname shop/, '--quiet --dbname copy');
    execFileSync('bash', ['-o', 'pipefail', '-c', byHand], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: place.path('sql'),
      env: {
        PATH: `${DEBIAN_15}:${process.env.PATH ?? ''}`,
        PGHOST: server.folder,
        PGPORT: String(server.port),
        PGUSER: 'postgres',
      },
    });
    expect(psql('copy', sum)).toBe(psql('shop', sum));

    const { code, stderr } = await place.respaldo('backup', 'some');
    expect(code).toBe(1);
    expect(stderr).toContain('closed');
    const some = (await listed(place, '--plan', 'some')).map(({ database }) => database);
    expect(some).toContain('shop');
    expect(some).not.toContain('año/1 =x');
  });
});
