/** From nothing to a restored database by the command line alone, where the databases are in containers. */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';
import { ApiServer } from '../fixtures/kubernetes/api-server.ts';
import { Cluster, DEBIAN_15, debianBinaries, type Binaries } from '../fixtures/postgres.ts';
import { onTerminal, SCRIPT } from '../fixtures/terminal.ts';

/** Dumps are taken by PostgreSQL’s own programs. */
const HAS_TOOLS = existsSync(DEBIAN_15);
const SECRET = 'correct horse battery';

describe.skipIf(!HAS_DOCKER)('Databases in containers', () => {
  let engine: DockerEngine;
  let place: Workplace;

  beforeAll(async () => {
    engine = await DockerEngine.start();
    await engine.importSmallImage();
    await engine.importPostgresImage();
    await engine.postgres('shop-db', '--env', 'POSTGRES_USER=shop', '--env', 'POSTGRES_PASSWORD_FILE=/tmp/secret');
    await sql('shop-db', `CREATE ROLE shop SUPERUSER LOGIN PASSWORD '${SECRET}'`, 'CREATE DATABASE shop OWNER shop');
    await fill('shop-db', 'shop');
    // From here on nobody gets in without the password.
    await engine.docker(
      'exec',
      'shop-db',
      'sh',
      '-c',
      `echo '${SECRET}' >/tmp/secret; echo 'local all all scram-sha-256' >/data/pg_hba.conf`,
    );
    await engine.docker('kill', '--signal=HUP', 'shop-db');
    place = await Workplace.withRepository();
    place.env['DOCKER_HOST'] = engine.host;
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function sql(container: string, ...statements: readonly string[]): Promise<string> {
    const commands = statements.flatMap((statement) => ['-c', statement]);
    return engine.docker('exec', container, 'psql', '-U', 'postgres', '-XAtq', '-v', 'ON_ERROR_STOP=1', ...commands);
  }

  async function fill(container: string, database: string): Promise<void> {
    const statement = `CREATE TABLE pedidos AS SELECT i, md5(i::text) FROM generate_series(1, 500) i`;
    await engine.docker('exec', container, 'psql', '-U', 'postgres', '-d', database, '-qc', statement);
  }

  const paths = async () =>
    (JSON.parse(await place.ok('snapshots', '--json')) as { paths: string[] }[]).map((it) => it.paths.join(' '));

  it('are shown with the reasons, as a table and for programs', async () => {
    const table = await place.ok('detect');
    expect(table).toMatch(/^shop-db +the container shop-db +.*image respaldo-test\/postgres/m);
    expect(table).toContain('its own POSTGRES_USER, POSTGRES_PASSWORD_FILE');
    expect(table).toContain('respaldo backup --container shop-db');
    // Its process is one of this machine too, but not one of this host.
    expect(table).not.toMatch(/data directory \/data$/m);
    expect(table).toContain('Kubernetes was not looked at: there is no kubeconfig');
    const [message] = messages(await place.ok('detect', '--runtime', 'docker', '--json'));
    expect(message).toMatchObject({
      message_type: 'detected',
      servers: [{ name: 'shop-db', runtime: { kind: 'docker', container: 'shop-db' } }],
      not_looked_at: [],
    });
  });

  it('cannot be shown where nobody answers, which is an error only if it was asked for', async () => {
    const env = { DOCKER_HOST: 'unix:///no/such/docker.sock' };
    const { code, stdout } = await place.start(['detect'], env).ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining('Docker was not looked at: no container engine')]);
    const asked = await place.start(['detect', '--runtime', 'docker'], env).ended;
    expect([asked.code, asked.stdout]).toEqual([1, '']);
    expect(asked.stderr).toContain('no container engine listens at');
  });

  it('are backed up without a word where there is one, by its own login, and no password is shown', async () => {
    const { code, stdout, stderr } = await place.respaldo('backup', '--runtime', 'docker', '-vv');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('found PostgreSQL in the container shop-db: image respaldo-test/postgres');
    expect(stdout).not.toContain(SECRET);
    expect(await paths()).toEqual(['/postgresql/docker/shop-db/localhost:5432/databases']);
    expect(await place.ok('dump', 'latest', '/dump/shop/restore.sql')).not.toContain(SECRET);
  });

  it('are found through a configuration that `config init` writes', async () => {
    const written = await place.ok('config', 'init', '--runtime', 'docker', '--output', 'respaldo.yaml');
    expect(written).toContain('respaldo.yaml is written, with 1 plan');
    expect((await stat(place.path('respaldo.yaml'))).mode & 0o777).toBe(0o600);
    const text = await readFile(place.path('respaldo.yaml'), 'utf8');
    expect(text).toMatch(/^ {2}# PostgreSQL in the container shop-db: image respaldo-test\/postgres/m);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(place.env['RESPALDO_PASSWORD']);
    await place.ok('config', 'validate');
    expect(await place.ok('backup', 'shop-db')).toContain('snapshot');

    const again = await place.respaldo('config', 'init');
    expect([again.code, again.stdout]).toEqual([2, '']);
    expect(again.stderr).toContain('is there already: it was not changed');
    await writeFile(place.path('respaldo.yaml'), 'plans: {}');
    await place.ok('config', 'init', '--runtime', 'docker', '--force');
    expect(await readFile(place.path('respaldo.yaml'), 'utf8')).toBe(text);
    expect(await place.ok('config', 'init', '--runtime', 'docker', '--stdout')).toBe(text);
    expect(await place.ok('config', 'init', '--runtime', 'docker', '--output', '-')).toBe(text);
    expect((await readdir(place.folder)).filter((name) => name.startsWith('.respaldo'))).toEqual([]);
    await writeFile(place.path('respaldo.yaml'), '{}');
  });

  it('have hooks done inside of them, which are ended there too', async () => {
    const plan = await place.ok('config', 'init', '--runtime', 'docker', '--output', '-');
    const hooks = `    hooks:
      before: { inside: [sh, -c, 'echo "$RESPALDO_PLAN with $WORD" > /tmp/hooked'], env: { WORD: { env: WORD } } }
      after: { inside: [sh, -c, 'sleep 5557 & sleep 5557'], timeout: 1s }
`;
    await writeFile(place.path('respaldo.yaml'), plan.trimEnd() + '\n' + hooks, { mode: 0o600 });
    const { code, stdout, stderr } = await place.start(['backup', 'shop-db'], { WORD: 'a word' }).ended;
    expect([code, stdout]).toEqual([3, expect.stringMatching(/snapshot \w{8} saved/)]);
    expect(stderr).toContain('(sh, inside) failed: it did not end within 1 second');
    expect(await engine.docker('exec', 'shop-db', 'cat', '/tmp/hooked')).toBe('shop-db with a word');
    expect(await engine.docker('exec', 'shop-db', 'ps', '-o', 'args')).not.toContain('5557');
    await writeFile(place.path('respaldo.yaml'), '{}');
  });

  describe('where there are several', () => {
    beforeAll(async () => {
      await engine.postgres('till-db', '--label', 'respaldo.databases=shop');
      await sql('till-db', 'CREATE DATABASE shop');
    });
    afterAll(() => engine.docker('rm', '-f', 'till-db'));

    it('are listed with exit 2 where nobody can be asked', async () => {
      const { code, stdout, stderr } = await place.respaldo('backup', '--runtime', 'docker');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('shop-db (the container shop-db)');
      expect(stderr).toContain("\n  respaldo backup --container till-db 'postgresql:///shop?method=logical'\n");
    });

    it.skipIf(SCRIPT === undefined)('are a question on a terminal', async () => {
      const down = '\u001b[B\r';
      const { stdout } = await onTerminal(place, ['backup', '--runtime', 'docker'], {}, [[/Which one/, down]]);
      expect(stdout).toMatch(/snapshot \w{8} saved/);
    });

    it('have snapshots of their own, each compared with its own', async () => {
      await place.ok('backup', '--container', 'till-db', 'postgresql:///shop?method=logical');
      const out = await place.ok('backup', '--container', 'shop-db', 'postgresql:///shop?method=logical');
      expect(out).not.toContain('compared with');
      const own = new Set((await paths()).filter((it) => it.endsWith('/shop')));
      expect([...own].toSorted()).toEqual([
        '/postgresql/docker/shop-db/localhost:5432/databases/shop',
        '/postgresql/docker/till-db/localhost:5432/databases/shop',
      ]);
    });

    it('are meant by their names beside plans, whose data are elsewhere', async () => {
      await writeFile(place.path('respaldo.yaml'), 'plans: { a: { source: ./nowhere }, b: { source: ./nowhere } }');
      expect(await place.ok('backup', '--container', 'till-db')).not.toContain('nowhere');
      // Its label says which of its databases.
      expect((await paths()).at(-1)).toBe('/postgresql/docker/till-db/localhost:5432/databases/shop');
      await writeFile(place.path('respaldo.yaml'), '{}');
    });

    it('take what another one had: a dump is restored into a container', async () => {
      const path = '/postgresql/docker/shop-db/localhost:5432/databases/shop';
      const restored = ['restore', 'latest', '--path', path, '--create-roles', '--yes'];
      await place.ok(...restored, '--container', 'till-db', '--to', 'postgresql:///copy');
      const count = ['psql', '-U', 'postgres', '-d', 'copy', '-XAtc', 'SELECT count(*) FROM pedidos'];
      expect(await engine.docker('exec', 'till-db', ...count)).toBe('500');
    });
  });

  it('are named by who knows a container, but it must be there', async () => {
    const { code, stderr } = await place.respaldo('backup', '--container', 'nobody');
    expect(code).toBe(1);
    expect(stderr).toContain('there is no container "nobody"');
  });

  it('whose password is wrong say so, and nothing is stored', async () => {
    const before = await paths();
    // Only the password is for us: what this host’s other variables mean is not in there.
    const env = { PGPASSWORD: 'wrong', PGHOST: 'elsewhere.invalid', PGUSER: 'somebody', PGPORT: '1' };
    const { code, stderr } = await place.start(['backup', '--container', 'shop-db'], env).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('password authentication failed for user "shop"');
    expect(await paths()).toEqual(before);
  });
});

describe.skipIf(!HAS_TOOLS)('Databases in pods', () => {
  let cluster: Cluster;
  let binaries: Binaries;
  let server: ApiServer;
  let place: Workplace;

  beforeAll(async () => {
    binaries = await debianBinaries();
    cluster = await Cluster.create(binaries);
    await cluster.start();
    await cluster.query('CREATE DATABASE shop');
    await cluster.query('CREATE TABLE pedidos AS SELECT i FROM generate_series(1, 500) i', [], 'shop');
    server = await ApiServer.start();
    // What the pod’s own variables say is all that anybody knows of the login.
    const env = { PGHOST: cluster.folder, PGPORT: String(cluster.port), POSTGRES_USER: 'postgres' };
    server.place({ name: 'postgres-0', namespace: 'shop', labels: { app: 'postgres' }, env });
    server.place({ name: 'web-0', namespace: 'shop' });
    place = await Workplace.withRepository();
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'double', user: 'somebody' } }],
      clusters: [{ name: 'double', cluster: { server: server.url } }],
      users: [{ name: 'somebody', user: { token: 'good-token' } }],
    };
    await writeFile(place.path('kubeconfig'), JSON.stringify(config), { mode: 0o600 });
    place.env['KUBECONFIG'] = place.path('kubeconfig');
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await cluster.remove();
    await binaries.remove();
    await place[Symbol.asyncDispose]();
  });

  it('are found, backed up by their own login, and restored into their own server', async () => {
    expect(await place.ok('detect', '--runtime', 'kubernetes')).toMatch(
      /^postgres-0 +the pod shop\/postgres-0 +[^-]* +label app=postgres$/m,
    );
    await place.ok('backup', '--runtime', 'kubernetes', '--namespace', 'shop');
    const [snapshot] = JSON.parse(await place.ok('snapshots', '--json')) as { paths: string[] }[];
    expect(snapshot?.paths).toEqual(['/postgresql/kubernetes/shop/postgres-0/localhost:5432/databases']);
    const pod = ['--pod', 'postgres-0', '--namespace', 'shop'];
    await place.ok('restore', 'latest:/dump/shop', ...pod, '--to', 'postgresql:///copy', '--yes');
    expect(await cluster.query('SELECT count(*)::int AS rows FROM pedidos', [], 'copy')).toEqual([{ rows: 500 }]);
  });

  it('have a plan in the configuration that `config init` writes', async () => {
    await place.ok('config', 'init', '--runtime', 'kubernetes');
    expect(await readFile(place.path('respaldo.yaml'), 'utf8')).toMatch(/pod: postgres-0/);
    await place.ok('config', 'validate');
    await place.ok('backup', 'postgres-0');
  });
});

describe.skipIf(!HAS_TOOLS || process.getuid?.() !== 0)(
  'A database of this host that lets in only who has its user’s name',
  () => {
    it('is found and backed up by root, as sudo would do it', async () => {
      const binaries = await debianBinaries();
      const cluster = await Cluster.create(binaries, { access: 'local all postgres trust\nlocal all all peer\n' });
      try {
        await cluster.start();
        await cluster.query('CREATE ROLE nobody SUPERUSER LOGIN');
        await using place = await Workplace.withRepository();
        const [message] = messages(await place.ok('detect', '--runtime', 'host', '--json'));
        const servers = message?.servers as { address: string; host_ports: number[] }[];
        const own = servers.find((server) => server.host_ports.includes(cluster.port));
        expect(await place.ok('backup', own?.address ?? '')).toContain('snapshot');
      } finally {
        await cluster.remove();
        await binaries.remove();
      }
    });
  },
);
