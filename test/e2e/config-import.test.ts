/** The examples of backup.py's own documentation: imported, run against MariaDB and S3, and read back by hand. */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_CEPH, type S3Server } from '../fixtures/ceph.ts';
import { Workplace } from '../fixtures/cli.ts';
import { gpgHome, makeGpgKey } from '../fixtures/gpg.ts';
import { HAS_MARIADB, MariaServer } from '../fixtures/mariadb.ts';
import { clientOf, keysOf, listingOf, newBucket, s3Server, storeAt } from '../fixtures/s3.ts';

const EXAMPLES = join(import.meta.dirname, '../fixtures/backup-py');
const signal = new AbortController().signal;

describe.skipIf(!HAS_CEPH || !HAS_MARIADB)('respaldo config import', () => {
  let s3: S3Server;
  let maria: MariaServer;
  let keyring: Awaited<ReturnType<typeof gpgHome>>;
  let place: Workplace;
  let bucket: string;
  beforeAll(async () => {
    s3 = await s3Server();
    maria = await MariaServer.start();
    for (const name of ['app', 'analytics', 'other']) {
      await maria.query(`CREATE DATABASE ${name}; CREATE TABLE ${name}.t (a INT PRIMARY KEY, b TEXT) ENGINE=InnoDB`);
      await maria.query(`INSERT INTO ${name}.t VALUES (1, 'of ${name}'), (2, 'ñ')`);
    }
    await maria.query("ALTER USER root@127.0.0.1 IDENTIFIED BY 'secret'");
    keyring = await gpgHome();
    makeGpgKey(keyring.home, 'Backups <backups@example.com>');
    place = await Workplace.make();
    // What mysqldump, boto3 and gpg find by themselves.
    await writeFile(place.path('.my.cnf'), '[client]\nuser=root\n', { mode: 0o600 });
    const usual = { AWS_ENDPOINT_URL: `http://${s3.host}`, GNUPGHOME: keyring.home };
    Object.assign(place.env, keysOf(s3), usual);
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
    await keyring[Symbol.asyncDispose]();
    await maria[Symbol.asyncDispose]();
  });

  /** An example with the names of this machine's servers and folders; those without destinations get the first one's. */
  const importExample = async (name: string): Promise<string> => {
    bucket = newBucket();
    const store = storeAt(s3, bucket);
    await store.create(signal);
    await store.close();
    const read = (example: string) => readFile(join(EXAMPLES, `${example}.yaml`), 'utf8');
    const first = await read('databases');
    const own = await read(name);
    const whole = name === 'databases' ? own : own + first.slice(first.indexOf('\ndestinations:'));
    const text = whole
      .replace('host: localhost', 'host: 127.0.0.1')
      .replace('port: 3306', `port: ${maria.port}`)
      .replace('/home/pablo/data', place.path('data'))
      .replaceAll('/tmp/backups', place.path('temp'))
      .replace('my-bucket', bucket);
    await writeFile(place.path('config.yaml'), text, { mode: 0o600 });
    await rm(place.path('respaldo-secrets'), { recursive: true, force: true });
    const { stdout, stderr } = await place.respaldo('config', 'import', 'config.yaml', '--force');
    return stdout + stderr;
  };
  const download = async (key: string): Promise<void> => {
    const { Body } = await clientOf(s3).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    await writeFile(place.path('fetched'), (await Body?.transformToByteArray()) ?? '');
  };
  const files = async () => (await listingOf(s3, bucket)).filter((key) => !key.endsWith('.manifest.json')).toSorted();

  it('takes over databases, by name, compressed, encrypted, to a bucket, with the password in a file', async () => {
    const told = await importExample('databases');
    for (const key of ['temp', 'databases', 'compress', 'encryption', 'destination', 'cleanup', 'port', 'extra_args'])
      expect(told).toMatch(new RegExp(`(taken over|not needed) +sources.mysqldump.prod.${key}:`));
    expect(told).not.toContain('LOOK HERE');
    expect((await stat(place.path('respaldo-secrets/prod-password'))).mode & 0o777).toBe(0o600);
    expect((await stat(place.path('respaldo-secrets'))).mode & 0o777).toBe(0o700);
    expect(await readFile(place.path('respaldo-secrets/prod-password'), 'utf8')).toBe('secret\n');
    const text = await readFile(place.path('respaldo.yaml'), 'utf8');
    expect(text).not.toMatch(/: secret|:secret/);
    const run = await place.respaldo('backup', 'prod');
    expect([run.code, run.stdout + run.stderr]).toEqual([0, expect.stringContaining("confirmed by the store's MD5")]);
    const [accounts = '', analytics = '', app = '', ...others] = await files();
    expect(others).toEqual([]);
    expect(accounts).toMatch(/^backups\/mysql\/prod-accounts-\w+\.sql\.gz\.gpg$/);
    expect(analytics).toMatch(/^backups\/mysql\/prod-analytics-\w+\.sql\.gz\.gpg$/);
    expect(await readFile(place.path('temp/s3-main'), 'utf8').catch(() => 'a folder, or nothing')).toContain('nothing');
    await download(app);
    await maria.query('DROP DATABASE app; CREATE DATABASE app');
    const client = `mariadb --no-defaults --user=root --socket=${maria.socket} app`;
    await place.run('bash', '-c', `set -o pipefail; gpg --batch --decrypt < fetched | gunzip | ${client}`);
    expect(await maria.query('SELECT b FROM app.t ORDER BY a')).toBe('of app\nñ');
  });

  it('takes over all databases but those of the server', async () => {
    await importExample('all-databases');
    const text = await readFile(place.path('respaldo.yaml'), 'utf8');
    expect(text).toContain('source: mysql:///?method=logical\n');
    // The server of this test does not listen where one of the machine does.
    const here = text.replace('mysql:///?', `mysql:///?socket=${maria.socket}&`);
    await writeFile(place.path('respaldo.yaml'), here);
    await place.ok('backup', 'prod');
    const names = (await files()).map((key) => /prod-(\w+)-\w+\.sql$/.exec(key)?.[1]);
    expect(names).toEqual(['accounts', 'analytics', 'app', 'other']);
  });

  it('takes over a directory, whole', async () => {
    await mkdir(place.path('data/sub'), { recursive: true });
    await writeFile(place.path('data/sub/a'), 'hello\n');
    await importExample('directory');
    await place.ok('backup', 'home');
    const [key = ''] = await files();
    expect(key).toMatch(/^backups\/mysql\/home-data-\w+\.tar\.gz$/);
    await download(key);
    expect(await place.run('tar', '--extract', '--gzip', '--to-stdout', '--file=fetched', 'data/sub/a')).toBe(
      'hello\n',
    );
  });

  it('takes over a directory of which only changes are archived', async () => {
    await mkdir(place.path('data'), { recursive: true });
    for (const name of ['a', 'b']) await writeFile(place.path(`data/${name}`), name);
    await importExample('incremental');
    await place.ok('backup', 'home');
    await rm(place.path('data/a'));
    await writeFile(place.path('data/c'), 'c');
    await place.ok('backup', 'home');
    // Of two in the same second the later one has a number behind it.
    const keys = (await files()).toSorted((a, b) => a.length - b.length);
    expect(keys.map((key) => key.endsWith('.tar.bz2'))).toEqual([true, true]);
    await mkdir(place.path('restored'));
    for (const key of keys) {
      await download(key);
      const how = ['--extract', '--bzip2', '--listed-incremental=/dev/null', '--file=fetched', '--directory=restored'];
      await place.run('tar', ...how);
    }
    await place.run('diff', '-r', 'data', 'restored/data');
  });

  it('changes nothing that is there, and shows it where it is asked to', async () => {
    await importExample('databases');
    const before = await readFile(place.path('respaldo.yaml'), 'utf8');
    const again = await place.respaldo('config', 'import', 'config.yaml');
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('is there already: it was not changed')]);
    await writeFile(place.path('config.yaml'), before.length === 0 ? '' : 'sources: {}\n');
    expect((await place.respaldo('config', 'import', 'config.yaml', '--stdout')).code).toBe(2);
    expect(await readFile(place.path('respaldo.yaml'), 'utf8')).toBe(before);
  });
});
