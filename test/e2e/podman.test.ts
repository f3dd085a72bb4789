/** What Docker's engine is asked elsewhere, asked of a real Podman: databases, drills and volumes, by the command line alone. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { TAR_IMAGE } from '../fixtures/docker.ts';
import { HAS_PODMAN, PodmanEngine } from '../fixtures/podman.ts';

/** Who may not look into the engine's folders. */
const NOBODY = ['setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=-all'];
const FILL = `
  cd /data && echo one > a && mkdir sub && echo two > sub/b && ln -s ../a sub/link && ln a same
  chown 7:8 a sub && chmod 4751 a && touch -d '2020-02-02 02:02:02' sub/b && chown 7:9 . && chmod 750 .
`;
const SHOW = `cd /data && find . -exec stat -c '%n %a %u:%g %F' {} + | sort && cat a sub/b && stat -c %Y sub/b .`;

describe.skipIf(!HAS_PODMAN)('With Podman', () => {
  let engine: PodmanEngine;
  let place: Workplace;
  beforeAll(async () => {
    engine = await PodmanEngine.start();
    place = await Workplace.withRepository();
    place.env['DOCKER_HOST'] = engine.host;
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it('a database is detected, backed up, restored into another container, and proven in a third', async () => {
    await engine.importPostgresImage();
    const variable = ['--env', 'POSTGRES_USER=postgres'];
    await engine.postgres('shop-db', ...variable);
    const sql = (container: string, text: string) =>
      engine.docker('exec', container, 'psql', '-U', 'postgres', '-d', 'shop', '-XAtqc', text);
    await engine.docker('exec', 'shop-db', 'createdb', '-U', 'postgres', 'shop');
    await sql('shop-db', 'CREATE TABLE orders AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i');
    expect(await place.ok('detect', '--runtime', 'docker')).toMatch(/^shop-db +the container shop-db /m);
    await place.ok('backup', '--container', 'shop-db');

    await engine.postgres('copy-db', ...variable);
    await place.ok('restore', 'latest:/dump/shop', '--container', 'copy-db', '--to', 'postgresql:///shop', '--yes');
    const content = "SELECT count(*), md5(string_agg(o::text, '' ORDER BY i)) FROM orders o";
    expect(await sql('copy-db', content)).toBe(await sql('shop-db', content));

    await place.run('chmod', '711', place.folder);
    await place.run('mkdir', '-m', '711', place.path('drills'));
    const drill = ['verify', '--json', '--image', 'respaldo-test/postgres', '--folder', place.path('drills'), 'latest'];
    const told = messages(await place.ok(...drill)).find(({ message_type }) => message_type === 'summary');
    expect(told).toMatchObject({ state: 'proven', server: expect.stringContaining('the container') as string });
    expect((await engine.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').toSorted()).toEqual([
      'copy-db',
      'shop-db',
    ]);
  });

  it('a volume is read by a program where its folder cannot be, with its owners, and comes back', async () => {
    await engine.importTarImage();
    await engine.importSmallImage();
    await engine.docker('volume', 'create', 'files');
    const using = (name: string, volume: string) =>
      engine.docker('run', '-d', '--network=none', '--name', name, '-v', `${volume}:/data`, ...STAY);
    await using('writer', 'files');
    await engine.docker('exec', 'writer', 'sh', '-c', FILL);
    const before = await engine.docker('exec', 'writer', 'sh', '-c', SHOW);
    await place.run('chmod', '711', engine.folder);
    await place.run('chmod', '666', join(engine.folder, 'docker.sock'));
    await place.run('chown', '-R', '65534', place.folder);
    const asNobody = (...argv: string[]) => place.start(argv, {}, NOBODY).ended;

    expect(await asNobody('backup', 'docker-volume:files')).toMatchObject({ code: 0 });
    const restored = await asNobody('restore', 'latest', '--to', `docker-volume:copy?image=${TAR_IMAGE}`);
    expect(restored).toMatchObject({ code: 0 });
    await using('reader', 'copy');
    const after = await engine.docker('exec', 'reader', 'sh', '-c', SHOW);
    expect(after).toBe(before);
    expect(await engine.docker('ps', '-aq', '--filter', 'label=respaldo.carrier')).toBe('');

    const without = await asNobody('backup', 'docker-volume:files?image=respaldo-test/small');
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('no GNU tar') as string });
  });

  it('a container is stopped while its volume is read in its folder, and runs again', async () => {
    await engine.docker('volume', 'create', 'logs');
    const label = ['--label', 'respaldo.stop-during-backup=true', '--stop-timeout=1'];
    await engine.docker('run', '-d', '--network=none', '--name', 'logger', ...label, '-v', 'logs:/data', ...STAY);
    const started = () => engine.docker('inspect', '-f', '{{.State.StartedAt}} {{.State.Running}}', 'logger');
    const before = await started();
    expect(await place.ok('backup', 'docker-volume:logs')).toContain('stopped while it is read: logger');
    const after = await started();
    expect([after === before, after.endsWith(' true')]).toEqual([false, true]);
  });

  // A Docker that runs on this machine is asked first.
  it.skipIf(existsSync('/var/run/docker.sock'))('the socket of its own user is found by itself', async () => {
    const usual = place.path('runtime/podman/podman.sock');
    await place.run('mkdir', '-p', place.path('runtime/podman'));
    await place.run('ln', '-s', join(engine.folder, 'docker.sock'), usual);
    const env = { DOCKER_HOST: undefined, XDG_RUNTIME_DIR: place.path('runtime') };
    const [found] = messages((await place.start(['detect', '--json'], env).ended).stdout);
    expect(JSON.stringify(found)).toContain('shop-db');
  });
});

const STAY = [TAR_IMAGE, 'sh', '-c', 'while :; do sleep 1; done'];
