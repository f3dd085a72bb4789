/** Containers of a real Docker engine: the contract of every runtime, and what Docker promises beyond it. */
import { execFile } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../../examples/tienda/free-port.ts';
import type { RespaldoError } from '../../src/errors.ts';
import { DockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { Authority } from '../fixtures/authority.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';
import { HAS_PODMAN, PodmanEngine } from '../fixtures/podman.ts';
import { processesOfHost } from '../fixtures/processes.ts';
import { describeRuntime } from './runtime.ts';
import { ours } from './store.ts';

const { signal } = new AbortController();

const text = async (on: DockerRuntime, ...argv: [string, ...string[]]) =>
  Buffer.concat(await Array.fromAsync(on.run({ argv }, signal))).toString();
const failure = async (on: DockerRuntime, ...argv: [string, ...string[]]) =>
  text(on, ...argv).then(
    (output) => expect.fail(`it succeeded: ${output}`),
    (error: unknown) => error as RespaldoError,
  );

const ENGINES = [
  { name: 'Docker', isThere: HAS_DOCKER, start: () => DockerEngine.start() },
  { name: 'Podman', isThere: HAS_PODMAN, start: () => PodmanEngine.start() },
];

describe.for(ENGINES.filter(({ isThere }) => isThere))('in $name', ({ name, start }) => {
  let engine: DockerEngine;
  beforeAll(async () => {
    engine = await start();
    await engine.importSmallImage();
    await engine.idle('one');
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  const runtime = (target: { container?: string; labels?: readonly string[] }) =>
    new DockerRuntime(
      { kind: 'docker', labels: [], ...target },
      { DOCKER_HOST: engine.host },
      { grace: 200, pulse: 100 },
    );

  describeRuntime(name, async () => ({
    runtime: runtime({ container: 'one' }),
    blocksBetween: 100,
    processes: processesOfHost,
    kill: async (pid, name) => {
      process.kill(pid, name);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

  describe('a container', () => {
    afterEach(async () => {
      const others = (await engine.docker('ps', '-a', '--format', '{{.Names}}'))
        .split('\n')
        .filter((it) => it !== 'one');
      if (others.some((it) => it !== '')) await engine.docker('rm', '-f', ...others);
    });

    it('is found by its name, its id, and what only its labels say', async () => {
      const id = await engine.idle('shop-db', '--label', 'app=db', '--label', 'shop', '--hostname', 'shop-db');
      for (const target of [
        { container: 'shop-db' },
        { container: id },
        { container: id.slice(0, 12) },
        { labels: ['app=db'] },
        { labels: ['shop', 'app=db'] },
      ]) {
        const on = runtime(target);
        expect(await text(on, 'hostname')).toBe('shop-db\n');
        expect(on.place).toBe('the container shop-db');
      }
    });

    it('that is not there is told with those that are', async () => {
      const error = await failure(runtime({ container: 'shop' }), 'true');
      expect(error).toEqual(ours('source-missing'));
      expect(error).toMatchObject({ message: 'there is no container "shop"', hint: 'These are running: one.' });
      expect(await failure(runtime({ labels: ['app=none'] }), 'true')).toEqual(ours('source-missing'));
    });

    it('is not guessed where several have the labels', async () => {
      await engine.idle('first', '--label', 'app=db');
      await engine.idle('second', '--label', 'app=db');
      const error = await failure(runtime({ labels: ['app=db'] }), 'true');
      expect(error).toEqual(ours('usage'));
      expect(error.message).toContain('first, second');
    });

    it('that does not run is told with how to start it', async () => {
      await engine.idle('still', '--label', 'app=still');
      await engine.docker('pause', 'still');
      expect((await failure(runtime({ container: 'still' }), 'true')).hint).toContain('docker unpause still');
      await engine.docker('unpause', 'still');
      await engine.docker('kill', 'still');
      for (const target of [{ container: 'still' }, { labels: ['app=still'] }]) {
        const error = await failure(runtime(target), 'true');
        expect(error).toEqual(ours('source-refused'));
        expect(error.hint).toContain('docker start still');
      }
    });

    it('that is killed in the middle has not succeeded, although its output ends well', async () => {
      await engine.idle('mortal');
      const output = runtime({ container: 'mortal' }).run(
        { argv: ['sh', '-c', 'echo begun; exec sleep 8263530'] },
        signal,
      );
      const reading = output[Symbol.asyncIterator]();
      expect((await reading.next()).value).toEqual(Buffer.from('begun\n'));
      const rest = reading.next();
      await Promise.all([expect(rest).rejects.toThrow(/137|ended is not known/), engine.docker('kill', 'mortal')]);
    });

    it('that is replaced by another one of its name is not that other one', async () => {
      await engine.idle('shop-db');
      const on = runtime({ container: 'shop-db' });
      await text(on, 'true');
      await engine.docker('rm', '-f', 'shop-db');
      await engine.idle('shop-db');
      expect(await failure(on, 'true')).toEqual(ours('source-lost'));
    });

    it('gives its programs its own variables, folder and user, or those that are asked for', async () => {
      await engine.idle('shop-db', '--env', 'POSTGRES_USER=shop', '--workdir', '/tmp');
      const on = runtime({ container: 'shop-db' });
      expect(await text(on, 'sh', '-c', 'echo $POSTGRES_USER; pwd; id -u')).toBe('shop\n/tmp\n0\n');
      const command = { argv: ['sh', '-c', 'pwd; id -u; id -g'], cwd: '/etc', user: { uid: 5, gid: 6 } } as const;
      expect(Buffer.concat(await Array.fromAsync(on.run(command, signal))).toString()).toBe('/etc\n5\n6\n');
      const nowhere = Array.fromAsync(on.run({ argv: ['pwd'], cwd: '/no/such/folder' }, signal));
      await expect(nowhere).rejects.toThrow('/no/such/folder');
    });

    it('without a shell says so', async () => {
      await engine.idle('bare');
      await engine.docker('exec', 'bare', 'rm', '/bin/sh');
      const error = await failure(runtime({ container: 'bare' }), 'true');
      expect(error).toEqual(ours('tool-missing'));
      expect(error.message).toContain('no "sh" in the container bare');
    });
  });

  it('dumps a database by its own tools, whole, or not at all', async () => {
    await engine.importPostgresImage();
    await engine.postgres('shop-db');
    const on = runtime({ container: 'shop-db' });
    const sql = 'create table t as select i, md5(i::text) from generate_series(1, 20000) i';
    await text(on, 'psql', '-U', 'postgres', '-v', 'ON_ERROR_STOP=1', '-qc', sql);
    const dump = await text(on, 'pg_dump', '-U', 'postgres');
    expect(dump).toContain('PostgreSQL database dump complete');
    expect(dump.match(/^\d+\t[0-9a-f]{32}$/gm)).toHaveLength(20_000);
    expect((await failure(on, 'pg_dump', '-U', 'nobody')).message).toContain('role "nobody" does not exist');
    await engine.docker('rm', '-f', 'shop-db');
  });

  describe('an engine', () => {
    const at = (env: Record<string, string>, context?: string) =>
      new DockerRuntime({ kind: 'docker', container: 'one', labels: [], ...(context && { context }) }, env);

    it('is found through a context, the current one or one that is named', async () => {
      const folder = join(engine.folder, 'cli');
      const env = { DOCKER_CONFIG: folder };
      const docker = promisify(execFile);
      await docker('docker', ['--config', folder, 'context', 'create', 'mine', '--docker', `host=${engine.host}`]);
      expect(await text(at(env, 'mine'), 'echo', 'hi')).toBe('hi\n');
      expect(await failure(at(env, 'yours'), 'true')).toEqual(ours('usage'));
      await docker('docker', ['--config', folder, 'context', 'use', 'mine']);
      expect(await text(at(env), 'echo', 'hi')).toBe('hi\n');
    });

    it('that listens nowhere is told', async () => {
      const error = await failure(at({ DOCKER_HOST: 'unix:///no/such/docker.sock' }), 'true');
      expect(error).toEqual(ours('source-missing'));
      expect(error.hint).toContain('DOCKER_HOST');
      expect(await failure(at({ DOCKER_HOST: 'ssh://somewhere' }), 'true')).toEqual(ours('usage'));
      expect(await failure(at({ DOCKER_HOST: 'gopher:x' }), 'true')).toEqual(ours('usage'));
    });
  });
});

describe.runIf(HAS_DOCKER)('Docker over TCP with TLS', () => {
  let remote: DockerEngine;
  let authority: Authority;
  beforeAll(async () => {
    authority = await Authority.make();
    await authority.issue('server');
    await authority.issue('client');
    const port = await freePort();
    const files = { tlscacert: 'ca.pem', tlscert: 'server.pem', tlskey: 'server.key' };
    const tls = Object.entries(files).map(([option, file]) => `--${option}=${join(authority.folder, file)}`);
    remote = await DockerEngine.start(() => ['-H', `tcp://127.0.0.1:${port}`, '--tlsverify', ...tls]);
    await remote.importSmallImage();
    await remote.idle('one');
    address = `tcp://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await remote[Symbol.asyncDispose]();
    await authority[Symbol.asyncDispose]();
  });
  let address = '';

  it('runs programs, feeds them, and closes their input', async () => {
    const client = await authority.dockerFolder('client');
    const on = new DockerRuntime(
      { kind: 'docker', container: 'one', labels: [] },
      { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: client },
    );
    const stdin = (async function* () {
      for (let i = 0; i < 100; i++) yield new Uint8Array(100_000);
    })();
    const pieces = await Array.fromAsync(on.run({ argv: ['wc', '-c'], stdin }, signal));
    expect(Buffer.concat(pieces).toString().trim()).toBe('10000000');
  });

  it('lets nobody in who has no certificate', async () => {
    const on = new DockerRuntime({ kind: 'docker', container: 'one', labels: [] }, { DOCKER_HOST: address });
    const error = await failure(on, 'true');
    expect(error.hint).toBeDefined();
    expect(['source-lost', 'source-refused']).toContain(error.code);
  });
});

describe.runIf(HAS_PODMAN)('Podman', () => {
  let engine: PodmanEngine;
  beforeAll(async () => {
    engine = await PodmanEngine.start();
    await engine.importSmallImage();
    await engine.idle('one');
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  it('that is replaced in the middle has not passed on all output, and nobody waits for the end that it never learns', async () => {
    // As a manager of sockets does: who connects waits until somebody listens.
    let replaced = Promise.resolve();
    const door = createServer({ allowHalfOpen: true }, (client) => {
      void replaced.then(() =>
        joined(client, connect({ path: join(engine.folder, 'docker.sock'), allowHalfOpen: true })),
      );
    });
    await new Promise<void>((resolve) => door.listen(join(engine.folder, 'door.sock'), resolve));
    const target = { kind: 'docker', container: 'one', labels: [] } as const;
    const on = new DockerRuntime(target, { DOCKER_HOST: `unix://${engine.folder}/door.sock` });
    const script = 'echo begun; until [ -e /tmp/go ]; do sleep 0.1; done; echo the rest';
    const reading = on.run({ argv: ['sh', '-c', script] }, signal)[Symbol.asyncIterator]();
    expect((await reading.next()).value).toEqual(Buffer.from('begun\n'));
    const rest = reading.next().catch((thrown: unknown) => thrown);
    replaced = engine.replace().then(async () => {
      await engine.docker('exec', 'one', 'touch', '/tmp/go');
    });
    expect(await rest).toEqual(ours('source-lost'));
    door.close();
  });
});

function joined(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.end());
  }
}
