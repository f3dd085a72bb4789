/** What is found on a real host, by a real Docker engine and by the double of a cluster, and what each of them tells. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/clock.ts';
import type { DetectionScope } from '../../src/domain/detection.ts';
import { detect } from '../../src/operations/detect.ts';
import { openRuntime, openWorkloadLists } from '../../src/runtimes/index.ts';
import { listeningSockets } from '../../src/sources/postgres/detection/listening-sockets.ts';
import { postmasters } from '../../src/sources/postgres/detection/postmasters.ts';
import { ownLogin } from '../../src/sources/postgres/logical/own-login.ts';
import { postgres } from '../../src/sources/postgres/postgres.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';
import { ApiServer } from '../fixtures/kubernetes/api-server.ts';
import { Cluster, SERVERS, type Binaries } from '../fixtures/postgres.ts';
import { ours } from './store.ts';

const { signal } = new AbortController();

/** @param env where engines and clusters are looked for. */
async function found(scope: Partial<DetectionScope>, env: Record<string, string> = {}) {
  const whole = { labels: [], ...scope };
  const lists = await openWorkloadLists(whole, { HOME: '/nowhere', ...env }, systemClock);
  return detect(whole, { lists, finders: postgres.finder === undefined ? [] : [postgres.finder] }, signal);
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-detection-'));
});
afterEach(() => rm(folder, { recursive: true }));

const [first] = SERVERS;
if (first === undefined) throw new Error('there is no PostgreSQL to test with');

describe('on a host', () => {
  let cluster: Cluster;
  let binaries: Binaries;
  beforeAll(async () => {
    binaries = await first.binaries();
    cluster = await Cluster.create(binaries, { tcp: true });
    await cluster.start();
  });
  afterAll(async () => {
    await cluster.remove();
    await binaries.remove();
  });

  it('a server is found by its process, with its data directory, and named by a socket and the user who runs it', async () => {
    const { servers } = await found({ kind: 'host' });
    const own = servers.filter(({ hostPorts }) => hostPorts.includes(cluster.port));
    expect(own).toHaveLength(1);
    expect(own[0]?.target).toEqual({ kind: 'host' });
    expect(own[0]?.version).toMatch(/^\d+$/);
    expect(own[0]?.reasons).toEqual([
      expect.stringMatching(/^process \d+$/),
      `data directory ${cluster.data}`,
      `socket ${cluster.folder}/.s.PGSQL.${String(cluster.port)}`,
    ]);
    expect(own[0]?.address).toContain(`@/?host=${cluster.folder}&port=${String(cluster.port)}&method=logical`);
  });

  it.each(SERVERS)(
    '$name is offered by its files as well, unless its settings forbid it',
    async ({ binaries: get }) => {
      const its = await get();
      const settings = ['wal_level = minimal', 'max_wal_senders = 0'];
      const both = [await Cluster.create(its), await Cluster.create(its, { settings })];
      try {
        for (const server of both) await server.start();
        const { servers } = await found({ kind: 'host' });
        const offered = both.map(({ port }) => servers.find(({ hostPorts }) => hostPorts.includes(port))?.physical);
        expect(offered).toEqual([expect.stringMatching(/&method=physical$/), undefined]);
      } finally {
        for (const server of both) await server.remove();
        await its.remove();
      }
    },
  );

  it('a server whose process nobody may see is found by its socket', async () => {
    expect(await postmasters(folder)).toEqual([]);
    const sockets = await listeningSockets({});
    expect(sockets.map(({ path }) => path)).toContain(join(cluster.folder, `.s.PGSQL.${String(cluster.port)}`));
  });

  it('a socket that a dead server left, or that is somebody else’s, is none', async () => {
    const path = join(folder, '.s.PGSQL.5499');
    await chmod(folder, 0o755);
    const other = createServer((socket) => socket.resume().end('hello\n'));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    try {
      expect((await listeningSockets({ PGHOST: folder })).map((it) => it.path)).not.toContain(path);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await writeFile(path, '');
    expect((await listeningSockets({ PGHOST: folder })).map((it) => it.path)).not.toContain(path);
  });
});

describe.skipIf(!HAS_DOCKER)('in Docker', () => {
  let engine: DockerEngine;
  beforeAll(async () => {
    engine = await DockerEngine.start();
    await engine.importSmallImage();
  });
  afterAll(() => engine[Symbol.asyncDispose]());
  afterEach(async () => {
    const ids = (await engine.docker('ps', '-aq')).split('\n').filter((id) => id !== '');
    if (ids.length > 0) await engine.docker('rm', '-f', ...ids);
  });
  const inDocker = (scope: Partial<DetectionScope> = {}) =>
    found({ kind: 'docker', ...scope }, { DOCKER_HOST: engine.host });

  it('containers are told by labels and variables, without their secrets', async () => {
    await engine.idle('shop-db', '--env', 'POSTGRES_PASSWORD=s3cr3t', '--env', 'PGDATA=/data', '--expose', '5432');
    await engine.idle('declared', '--label', 'respaldo.source=postgres', '--label', 'respaldo.plan=till');
    await engine.idle('other', '--env', 'POSTGRES_HOST=shop-db', '--env', 'POSTGRES_PASSWORD=s3cr3t');
    const { servers } = await inDocker();
    expect(servers.map(({ name, target }) => [name, target])).toEqual(
      expect.arrayContaining([
        ['shop-db', { kind: 'docker', container: 'shop-db', labels: [] }],
        ['till', { kind: 'docker', container: 'declared', labels: [] }],
      ]),
    );
    expect(servers).toHaveLength(2);
    expect(JSON.stringify(servers)).not.toContain('s3cr3t');
  });

  it('a container that does not run is told with the reason', async () => {
    await engine.idle('stopped', '--label', 'respaldo.source=postgres');
    await engine.docker('kill', 'stopped');
    expect((await inDocker()).servers).toMatchObject([{ name: 'stopped', obstacle: 'exited' }]);
  });

  it.each([
    [[], 'postgres', undefined],
    [['POSTGRES_USER=shop', 'POSTGRES_PASSWORD=a b=c\nd'], 'shop', 'a b=c\nd'],
    [['PGUSER=dumper', 'PGPASSWORD=mine', 'POSTGRES_USER=shop', 'POSTGRES_PASSWORD=theirs'], 'dumper', 'mine'],
    [['POSTGRESQL_USERNAME=app', 'POSTGRES_PASSWORD_FILE=/etc/passwd'], 'app', 'root:x:0:0::/root:/bin/sh'],
    [['POSTGRESQL_USERNAME=app', 'POSTGRESQL_PASSWORD=a', 'POSTGRESQL_POSTGRES_PASSWORD=b'], 'postgres', 'b'],
    [['POSTGRES_PASSWORD_FILE=/no/such/file'], 'postgres', undefined],
  ])('the login of a container with %j is its own', async (variables, user, password) => {
    await engine.idle('one', ...variables.flatMap((variable) => ['--env', variable]));
    const target = { kind: 'docker', container: 'one', labels: [] } as const;
    const own = await ownLogin(await openRuntime(target, { DOCKER_HOST: engine.host }, systemClock), signal);
    expect([own.user, await own.password()]).toEqual([user, password]);
  });

  it('a name, the beginning of an id, or labels limit the search', async () => {
    const id = await engine.idle('one', '--label', 'respaldo.source=postgres', '--label', 'app=a');
    await engine.idle('two', '--label', 'respaldo.source=postgres', '--label', 'app=b');
    for (const scope of [{ container: 'one' }, { container: id.slice(0, 10) }, { labels: ['app=a'] }])
      expect((await inDocker(scope)).servers.map(({ name }) => name)).toEqual(['one']);
  });
});

describe('in Kubernetes', () => {
  let server: ApiServer;
  let env: Record<string, string>;
  beforeEach(async () => {
    server = await ApiServer.start();
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'double', user: 'somebody', namespace: 'shop' } }],
      clusters: [{ name: 'double', cluster: { server: server.url } }],
      users: [{ name: 'somebody', user: { token: 'good-token' } }],
    };
    env = { KUBECONFIG: join(folder, 'config') };
    await writeFile(join(folder, 'config'), JSON.stringify(config), { mode: 0o600 });
  });
  afterEach(() => server[Symbol.asyncDispose]());
  const inCluster = (scope: Partial<DetectionScope> = {}) => found({ kind: 'kubernetes', ...scope }, env);

  it('pods of all namespaces are found, however many pods there are', async () => {
    server.pageSize = 2;
    server.place({ name: 'postgres-0', namespace: 'shop', env: { POSTGRES_PASSWORD: 's3cr3t' } });
    for (const name of ['a', 'b', 'c']) server.place({ name, namespace: 'shop' });
    server.place({ name: 'till-db', namespace: 'till', labels: { app: 'postgres' } });
    const { servers } = await inCluster();
    expect(servers.map(({ place }) => place)).toEqual(['the pod shop/postgres-0', 'the pod till/till-db']);
    expect(servers[0]?.target).toEqual({ kind: 'kubernetes', namespace: 'shop', pod: 'postgres-0', labels: [] });
    expect(JSON.stringify(servers)).not.toContain('s3cr3t');
  });

  it('only those of the context’s namespace are, where no others may be seen', async () => {
    server.place({ name: 'postgres-0', namespace: 'shop' });
    server.place({ name: 'postgres-0', namespace: 'till' });
    server.forbidden.add('list all pods');
    expect((await inCluster()).servers.map(({ place }) => place)).toEqual(['the pod shop/postgres-0']);
    server.forbidden.add('list pods');
    await expect(inCluster()).rejects.toEqual(ours('source-refused'));
  });

  it('a namespace, a name or labels limit the search', async () => {
    server.place({ name: 'postgres-0', namespace: 'shop', labels: { app: 'db', tier: 'a' } });
    server.place({ name: 'postgres-1', namespace: 'shop', labels: { app: 'db', tier: 'b' } });
    server.place({ name: 'postgres-0', namespace: 'till', labels: { app: 'db' } });
    const places = async (scope: Partial<DetectionScope>) =>
      (await inCluster(scope)).servers.map(({ place }) => place.replace('the pod ', ''));
    expect(await places({ namespace: 'till' })).toEqual(['till/postgres-0']);
    expect(await places({ pod: 'postgres-1' })).toEqual(['shop/postgres-1']);
    expect(await places({ labels: ['app=db', 'tier=a'] })).toEqual(['shop/postgres-0']);
  });

  it('a pod of a Deployment is meant by its labels, since its name does not last', async () => {
    const labels = { app: 'postgres', 'pod-template-hash': '5d4' };
    server.place({ name: 'db-5d4-x7', namespace: 'shop', labels, image: 'postgres:16', owner: 'ReplicaSet' });
    expect((await inCluster()).servers[0]?.target).toEqual({
      kind: 'kubernetes',
      namespace: 'shop',
      labels: ['app=postgres'],
    });
  });

  it('a pod that does not run, or is going to be deleted, is told with the reason', async () => {
    server.place({ name: 'postgres-0', namespace: 'shop', waiting: 'CrashLoopBackOff' });
    server.place({ name: 'postgres-1', namespace: 'shop', deleting: true });
    expect((await inCluster()).servers.map(({ obstacle }) => obstacle)).toEqual(['CrashLoopBackOff', 'being deleted']);
  });
});

describe('where nobody answers', () => {
  it('is told with the reason, and the rest is looked at', async () => {
    const { unseen } = await found({}, { DOCKER_HOST: 'unix:///no/such/docker.sock' });
    expect(unseen.map(({ kind }) => kind)).toEqual(['docker', 'kubernetes']);
    expect(unseen[0]?.reason).toContain('no container engine listens at');
    expect(unseen[1]?.reason).toContain('no kubeconfig');
  });

  it('does not keep anybody waiting, and not at all after an abort', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(join(folder, 'docker.sock'), resolve));
    const env = { HOME: '/nowhere', DOCKER_HOST: `unix://${folder}/docker.sock` };
    const [docker] = await openWorkloadLists({ labels: [] }, env, systemClock);
    const ports = { lists: docker === undefined ? [] : [docker], finders: [], patience: 50 };
    try {
      const { unseen } = await detect({ labels: [] }, ports, signal);
      expect(unseen).toMatchObject([{ kind: 'docker', reason: expect.stringContaining('did not answer') as string }]);
      const looking = detect({ kind: 'docker', labels: [] }, ports, AbortSignal.abort());
      await expect(looking).rejects.toEqual(ours('cancelled'));
    } finally {
      silent.close();
    }
  });

  it('is an error where only there was to be looked', async () => {
    const env = { DOCKER_HOST: 'unix:///no/such/docker.sock' };
    await expect(found({ kind: 'docker' }, env)).rejects.toEqual(ours('source-missing'));
    await expect(found({ kind: 'kubernetes' }, env)).rejects.toEqual(ours('config'));
  });
});
