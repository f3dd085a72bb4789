/** Drills in containers of a real Docker engine, beside which no server's programs are used. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { DockerEngine, EMBEDDED_IMAGE, HAS_DOCKER } from '../fixtures/docker.ts';
import { Cluster, debianBinaries } from '../fixtures/postgres.ts';

const IMAGE = 'respaldo-test/postgres';
/** Where Debian has them; those that come with Respaldo are of another version. */
const HIDE = 'mount -t tmpfs none /usr/lib/postgresql && exec "$@"';
const WITHOUT_PROGRAMS = ['unshare', '--mount', 'sh', '-c', HIDE, 'sh'];

describe.runIf(HAS_DOCKER)('A drill in a container', () => {
  let place: Workplace;
  let engine: DockerEngine;
  const ids: string[] = [];

  beforeAll(async () => {
    place = await Workplace.withRepository();
    await place.run('mkdir', place.path('d'));
    await place.run('chmod', '711', place.folder, place.path('d'));
    engine = await DockerEngine.start();
    await engine.importPostgresImage();
    const cluster = await Cluster.create(await debianBinaries());
    await cluster.start();
    await cluster.query('CREATE DATABASE shop');
    await cluster.query('CREATE TABLE orders AS SELECT i FROM generate_series(1, 100) AS i', [], 'shop');
    for (const method of ['physical', 'logical']) await place.ok('backup', cluster.address.replace('physical', method));
    await cluster.remove();
    await place.ok('backup', 'data');
    ids.push(...(JSON.parse(await place.ok('snapshots', '--json')) as { id: string }[]).map(({ id }) => id));
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const start = (...argv: string[]) =>
    place.start(['verify', '--folder', place.path('d'), ...argv], { DOCKER_HOST: engine.host });
  const containers = async () => (await engine.docker('ps', '-aq')).split('\n').filter((id) => id !== '');

  it('says what to do where there is no such image', async () => {
    const { code, stderr } = await start('--image', 'postgres:99', ids[0] ?? '').ended;
    expect(code).toBe(1);
    expect(stderr).toBe('respaldo: the engine has no image postgres:99\nFetch it: docker pull postgres:99\n');
    expect(await readdir(place.path('d'))).toEqual([]);
  });

  it('that is killed ends when the next one has tidied up', async () => {
    const killed = start('-v', '--image', IMAGE, '--assert', 'SELECT pg_sleep(1000) IS NULL', ids[0] ?? '');
    await new Promise<void>((resolve, reject) => {
      killed.child.stdout?.on('data', (text: string) => text.includes('checking') && resolve());
      killed.child.once('exit', () => reject(new Error('it ended too early')));
    });
    killed.child.kill('SIGKILL');
    await killed.ended;
    const [left = ''] = await containers();
    const gone = engine.docker('wait', left);
    expect((await start('latest').ended).stdout).toContain('left behind by a drill that was killed');
    await gone.catch(() => undefined);
    expect(await readdir(place.path('d'))).toEqual([]);
  });

  it.each(['physical', 'logical'])('proves a %s snapshot, without a network, and is gone', async (method) => {
    const id = ids[['physical', 'logical'].indexOf(method)] ?? '';
    const rows = 'SELECT count(*) = 100 FROM orders';
    const { code, stdout, stderr } = await start('--json', '--image', IMAGE, '--assert', rows, id).ended;
    const told = messages(stdout).find(({ message_type }) => message_type === 'summary');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(told).toMatchObject({
      state: 'proven',
      server: expect.stringMatching(/^PostgreSQL 15.*the container/) as string,
    });
    expect(await containers()).toEqual([]);
    expect(await readdir(place.path('d'))).toEqual([]);
  });

  it('of the image that the snapshot was taken in proves it where this host has no programs that fit', async () => {
    await engine.postgres('till-db', '--env', 'POSTGRES_USER=postgres');
    place.env['DOCKER_HOST'] = engine.host;
    await place.ok('backup', '--container', 'till-db');
    await engine.docker('rm', '-f', 'till-db');
    const facts = JSON.parse(await place.ok('dump', 'latest', '/respaldo.json')) as { origin: { image: object } };
    const id = await engine.docker('image', 'inspect', '-f', '{{.Id}}', IMAGE);
    expect(facts.origin.image).toEqual({ name: IMAGE, id });

    const verify = ['verify', '-v', '--json', '--folder', place.path('d'), 'latest'];
    const missing = await place.start(verify, { DOCKER_HOST: 'unix:///no/such/docker.sock' }, WITHOUT_PROGRAMS).ended;
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('needs the server programs of PostgreSQL 15');
    expect(missing.stderr).toContain(`docker pull ${IMAGE}`);

    const { code, stdout } = await place.start(verify, {}, WITHOUT_PROGRAMS).ended;
    const told = messages(stdout).find(({ message_type }) => message_type === 'summary');
    expect({ code, told }).toMatchObject({
      code: 0,
      told: { state: 'proven', server: expect.stringContaining('the container') as string },
    });
    expect(stdout).toContain(`the drill runs in a container of the image ${IMAGE}`);
    expect(await containers()).toEqual([]);
  });

  it('proves the files of a server of another version that runs in a container, too', async () => {
    await engine.importEmbeddedImage();
    const sockets = place.path('sockets');
    await place.run('mkdir', '-m', '777', sockets);
    await engine.embedded('new-db', sockets);
    const address = `postgresql://postgres@/?host=${encodeURIComponent(sockets)}&method=physical`;
    await expect.poll(async () => (await place.respaldo('backup', address)).code, { timeout: 60_000 }).toBe(0);
    await engine.docker('rm', '-f', 'new-db');
    const { code, stdout } = await start('--json', '--image', EMBEDDED_IMAGE, 'latest').ended;
    const told = messages(stdout).find(({ message_type }) => message_type === 'summary');
    expect({ code, told }).toMatchObject({
      code: 0,
      told: { state: 'proven', server: expect.stringMatching(/^PostgreSQL 18.*the container/) as string },
    });
  });
});
