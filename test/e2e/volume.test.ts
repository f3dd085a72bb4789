/** Volumes of a real Docker engine, through the program: who writes is stopped, and runs again whatever happens. */
import { hostname } from 'node:os';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Workplace, type Ended } from '../fixtures/cli.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';

const LABEL = 'respaldo.stop-during-backup';
/** Who may not look into the engine's folders. */
const NOBODY = ['setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=-all'];
const FILL = `
  cd /data && echo one > a && mkdir -p sub/deep && echo two > sub/deep/b && ln -s ../a sub/link && ln a same
  chown 7:8 a sub && chmod 4751 a && touch -d '2020-02-02 02:02:02' sub/deep/b && touch $(printf 'odd\\377name')
  dd if=/dev/urandom of=noise bs=1M count=3 2>/dev/null && chown 7:9 . && chmod 750 . && mkfifo pipe
`;
const SHOW = `cd /data && find . ! -name pipe -exec stat -c '%n %a %u:%g %s %F' {} + | sort && find . -type f -exec sha256sum {} + | sort && stat -c %Y sub/deep/b .`;

describe.skipIf(!HAS_DOCKER)('A volume of Docker', () => {
  let engine: DockerEngine;
  let place: Workplace;
  beforeAll(async () => {
    engine = await DockerEngine.start();
    await engine.importSmallImage();
    place = await Workplace.make();
    await place.makeRepository();
    place.env.DOCKER_HOST = engine.host;
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await remove('ps', '-aq')('rm', '-f');
    await remove('volume', 'ls', '-q')('volume', 'rm');
  });

  const remove =
    (...list: string[]) =>
    async (...order: string[]) => {
      const found = (await engine.docker(...list)).split('\n').filter((id) => id !== '');
      if (found.length > 0) await engine.docker(...order, ...found);
    };
  const runs = async (name: string) => (await engine.docker('inspect', '-f', '{{.State.Running}}', name)) === 'true';
  /** A container that uses the volume, and ends when it is told to. */
  const user = (name: string, ...options: string[]) =>
    engine.idle(name, '--init=false', '--volume', 'shop:/data', '--stop-timeout', '1', ...options);
  const inside = (name: string, script: string) => engine.docker('exec', name, 'sh', '-c', script);
  const records = () => readdir(place.path('state/stopped')).catch(() => []);
  const record = async () => {
    const [name = ''] = (await records()).filter((it) => it.endsWith('.json'));
    return readFile(place.path(`state/stopped/${name}`), 'utf8').catch(() => '');
  };
  const events = async (since: string, ...names: string[]) => {
    const now = await engine.docker('info', '-f', '{{.SystemTime}}');
    const filters = names.flatMap((name) => ['--filter', `container=${name}`]);
    const wanted = ['--filter', 'event=die', '--filter', 'event=start'];
    const format = '{{.Action}} {{.Actor.Attributes.name}}';
    const said = await engine.docker(
      'events',
      '--since',
      since,
      '--until',
      now,
      ...wanted,
      ...filters,
      '--format',
      format,
    );
    return said.split('\n');
  };

  /** As root where the engine is, its folder is read; without `dac_override` and as nobody else can, the engine is asked. */
  for (const [how, through] of [
    ['in its folder', []],
    ['through the engine', NOBODY],
  ] as const)
    it(`is read ${how}, and comes back in a new one`, async () => {
      await engine.docker('volume', 'create', 'shop');
      await user('writer');
      await inside('writer', FILL);
      const before = await inside('writer', SHOW);
      await engine.docker('stop', 'writer');
      const asNobody = through.length > 0;
      if (asNobody) await openTo(engine, place);
      // What one that was killed has left: no process has this number.
      const left = ['create', '--label', `respaldo.carrier=${hostname()} 4194305`, '--volume', 'shop:/_data'];
      if (asNobody) await engine.docker(...left, 'respaldo-test/small', 'true');
      const backup = await place.start(['backup', 'docker-volume:shop'], {}, through).ended;
      expect(backup).toMatchObject({ code: 0 });
      expect((await place.ok('ls', 'latest')).split('\n')).toContain('/_data/sub/deep/b');

      const restore = await place.start(['restore', 'latest', '--to', 'docker-volume:copy'], {}, through).ended;
      expect(restore).toMatchObject({ code: 0 });
      await engine.idle('reader', '--volume', 'copy:/data');
      const after = await inside('reader', SHOW);
      expect(after).toBe(before);
      expect((await inside('reader', 'test -p /data/pipe && echo pipe || true')).trim()).toBe(asNobody ? '' : 'pipe');
      expect(await engine.docker('ps', '-aq', '--filter', 'label=respaldo.carrier')).toBe('');

      const again = await place.start(['restore', 'latest', '--to', 'docker-volume:copy'], {}, through).ended;
      expect(again.code).toBe(1);
      expect(again.stderr).toContain('is in use: reader runs');
      await engine.docker('stop', '-t', '1', 'reader');
      const mixed = await place.start(['restore', 'latest', '--to', 'docker-volume:copy'], {}, through).ended;
      expect(mixed.code).toBe(1);
      expect(mixed.stderr).toContain('not empty');
    });

  it('is read while those who write are stopped, the last one first, and started the other way round', async () => {
    await engine.docker('volume', 'create', 'shop');
    await user('db', '--label', `${LABEL}=true`);
    await user('app', '--label', `${LABEL}=TRUE`);
    await user('reader', '--label', `${LABEL}=false`);
    await user('idle', '--label', `${LABEL}=true`);
    await engine.docker('stop', 'idle');
    const since = await engine.docker('info', '-f', '{{.SystemTime}}');
    const said = await place.ok('backup', 'docker-volume:shop');
    expect(said).toContain('stopped while it is read: db, app');
    expect(said).toContain('the container reader runs and uses the volume shop');
    expect(await events(since, 'db', 'app', 'reader', 'idle')).toEqual(['die app', 'die db', 'start db', 'start app']);
    expect(await runs('idle')).toBe(false);
    expect(await records()).toEqual([]);
    await place.ok('backup', '--dry-run', 'docker-volume:shop');
    expect(await events(since, 'db', 'app')).toHaveLength(4);
  });

  it('whose users cannot be stopped, or which is not there, is refused with what to do', async () => {
    const refused = async (address: string, ...said: string[]) => {
      const { code, stderr } = await place.respaldo('backup', address);
      for (const text of said) expect(stderr).toContain(text);
      return code;
    };
    expect(await refused('docker-volume:shop', 'there is no volume "shop"', 'docker volume ls')).toBe(1);
    expect(await refused('docker-volume:../etc', 'no name of a volume')).toBe(2);
    expect(await refused('docker-volume:shop?mode=x', 'no setting "mode"')).toBe(2);
    await engine.docker('volume', 'create', 'shop');
    await user('gone', '--rm', '--label', `${LABEL}=true`);
    expect(await refused('docker-volume:shop', 'started by --rm')).toBe(1);
    expect(await runs('gone')).toBe(true);
    await user('unclear', '--label', `${LABEL}=yes`);
    expect(await refused('docker-volume:shop', `${LABEL}=yes`)).toBe(2);
  });

  it('is stored although who was stopped does not start again, which the exit code tells, and the next command mends', async () => {
    const needed = place.path('needed');
    await mkdir(needed);
    await engine.docker('volume', 'create', 'shop');
    await user('db', '--label', `${LABEL}=true`, '--mount', `type=bind,source=${needed},target=/needed`);
    await user('app', '--label', `${LABEL}=true`);
    await rename(needed, `${needed}.away`);
    const { code, stdout, stderr } = await place.respaldo('backup', 'docker-volume:shop');
    expect(code).toBe(1);
    expect(stdout).toMatch(/snapshot [0-9a-f]{8} saved/);
    expect(stderr).toContain('the container db was stopped and does not run again');
    expect([await runs('db'), await runs('app')]).toEqual([false, true]);
    const again = await place.respaldo('snapshots');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('docker start db');
    await rename(`${needed}.away`, needed);
    expect((await place.respaldo('snapshots')).code).toBe(0);
    expect(await runs('db')).toBe(true);
    expect(await records()).toEqual([]);
  });

  it('whose backup is interrupted has its containers started before that ends', async () => {
    await engine.docker('volume', 'create', 'shop');
    await user('db', '--label', `${LABEL}=true`);
    await user('app', '--label', `${LABEL}=true`, '--stop-timeout', '2');
    const backup = place.start(['backup', 'docker-volume:shop']);
    // The first one is being stopped.
    await expect.poll(() => record()).toContain('askedAt');
    backup.child.kill('SIGINT');
    expect((await backup.ended).code).toBe(130);
    expect([await runs('db'), await runs('app')]).toEqual([true, true]);
    expect(await records()).toEqual([]);
  });

  it('is told to be of no one moment where somebody starts what was stopped for it', async () => {
    await engine.docker('volume', 'create', 'shop');
    await user('db', '--label', `${LABEL}=true`);
    await user('app', '--label', `${LABEL}=true`);
    await inside('db', 'dd if=/dev/urandom of=/data/noise bs=1M count=200 2>/dev/null');
    const backup = place.start(['backup', 'docker-volume:shop']);
    const stopped = Promise.withResolvers<undefined>();
    backup.child.stdout?.on('data', (piece: unknown) => {
      if (!String(piece).includes('stopped while it is read')) return;
      backup.child.kill('SIGSTOP');
      stopped.resolve(undefined);
    });
    await stopped.promise;
    await engine.docker('start', 'app');
    await engine.docker('stop', 'app');
    backup.child.kill('SIGCONT');
    const { code, stderr } = await backup.ended;
    expect(code).toBe(3);
    expect(stderr).toContain('the container app was stopped to be read, and somebody started it meanwhile');
    expect([await runs('db'), await runs('app')]).toEqual([true, false]);
    expect(await records()).toEqual([]);
  });

  it('is not stored in part where a file changes its size while the engine reads it', async () => {
    await engine.docker('volume', 'create', 'shop');
    await user('writer');
    // It grows and shrinks all the time.
    const restless = 'while :; do dd if=/dev/zero of=/data/log bs=1M count=64 2>/dev/null; : > /data/log; done';
    await engine.docker('exec', '-d', 'writer', 'sh', '-c', restless);
    await openTo(engine, place);
    const stored = async () => (JSON.parse(await place.ok('snapshots', '--json')) as unknown[]).length;
    let expected = await stored();
    let refused = '';
    for (let tries = 0; tries < 30 && refused === ''; tries++) {
      const { code, stderr } = await place.start(['backup', 'docker-volume:shop'], {}, NOBODY).ended;
      if (code === 0) expected += 1;
      else refused = stderr;
    }
    expect(refused).toContain('is not whole');
    expect(refused).toContain(LABEL);
    expect(await stored()).toBe(expected);
  });

  describe('whose backup is killed', () => {
    /** Kills a backup by SIGKILL as soon as it has stopped everybody, and reads. */
    const killed = async (): Promise<Ended> => {
      const backup = place.start(['backup', 'docker-volume:shop']);
      backup.child.stdout?.on('data', (piece: unknown) => {
        if (String(piece).includes('stopped while it is read')) backup.child.kill('SIGKILL');
      });
      return backup.ended;
    };
    it('has its containers started by the next command, whatever that is', async () => {
      await engine.docker('volume', 'create', 'shop');
      await user('db', '--label', `${LABEL}=true`);
      await user('app', '--label', `${LABEL}=true`);
      await inside('db', 'dd if=/dev/urandom of=/data/noise bs=1M count=200 2>/dev/null');
      expect((await killed()).code).toBeNull();
      expect([await runs('db'), await runs('app')]).toEqual([false, false]);
      expect(await records()).toHaveLength(1);
      const next = await place.respaldo('snapshots');
      expect(next.code).toBe(0);
      expect(next.stderr).toContain('starting app, db');
      expect([await runs('db'), await runs('app')]).toEqual([true, true]);
      expect(await records()).toEqual([]);
    });

    it('has a container started again that was just being stopped', async () => {
      await engine.docker('volume', 'create', 'shop');
      // Its first process ignores what asks it to end, so that the engine waits for its time to be over.
      await user('db', '--label', `${LABEL}=true`, '--stop-timeout', '4');
      const backup = place.start(['backup', 'docker-volume:shop']);
      await expect.poll(async () => JSON.stringify(await record())).toContain('askedAt');
      backup.child.kill('SIGKILL');
      await backup.ended;
      expect(await runs('db')).toBe(true);
      const since = await engine.docker('info', '-f', '{{.SystemTime}}');
      expect((await place.respaldo('snapshots')).code).toBe(0);
      expect(await events(since, 'db')).toEqual(['die db', 'start db']);
      expect(await runs('db')).toBe(true);
    });

    it('leaves alone who was started and stopped by somebody else since, and who is gone', async () => {
      await engine.docker('volume', 'create', 'shop');
      for (const name of ['db', 'app', 'gone']) await user(name, '--label', `${LABEL}=true`);
      await inside('db', 'dd if=/dev/urandom of=/data/noise bs=1M count=200 2>/dev/null');
      await killed();
      await engine.docker('start', 'app');
      await engine.docker('stop', 'app');
      await engine.docker('rm', 'gone');
      expect((await place.respaldo('snapshots')).code).toBe(0);
      expect([await runs('db'), await runs('app')]).toEqual([true, false]);
      expect(await records()).toEqual([]);
    });

    it('says by its exit code that one cannot be started, keeps trying, and goes on with its own work', async () => {
      await engine.docker('volume', 'create', 'shop');
      await user('db', '--label', `${LABEL}=true`);
      await inside('db', 'dd if=/dev/urandom of=/data/noise bs=1M count=200 2>/dev/null');
      await killed();
      const away = { DOCKER_HOST: `unix://${place.path('nobody.sock')}` };
      // The record knows which engine was meant, whatever the environment says now.
      await engine.docker('volume', 'create', 'other');
      const record = place.path(`state/stopped/${(await records())[0] ?? ''}`);
      await place.run('sed', '-i.aside', `s#${engine.host}#${away.DOCKER_HOST}#`, record);
      await place.run('rm', `${record}.aside`);
      const failed = await place.respaldo('snapshots', '--json');
      expect(failed.code).toBe(1);
      expect(JSON.parse(failed.stdout)).toBeInstanceOf(Array);
      const [next = ''] = await records();
      await place.run('sed', '-i', `s#${away.DOCKER_HOST}#${engine.host}#`, place.path(`state/stopped/${next}`));
      expect((await place.respaldo('snapshots')).code).toBe(0);
      expect(await runs('db')).toBe(true);
    });
  });
});

/** Lets somebody who is not root use the engine and the workplace. */
async function openTo(engine: DockerEngine, place: Workplace): Promise<void> {
  await place.run('chmod', '755', engine.folder);
  await place.run('chmod', '666', `${engine.folder}/docker.sock`);
  await place.run('chown', '-R', '65534', place.folder);
}
