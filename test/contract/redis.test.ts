import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../examples/tienda/free-port.ts';
import { systemClock } from '../../src/clock.ts';
import type { DrillSettings } from '../../src/domain/drill.ts';
import type { Entry } from '../../src/domain/entry.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { backup, type BackupOutcome } from '../../src/operations/backup.ts';
import { verify, type VerifyOutcome, type VerifyPorts } from '../../src/operations/verify.ts';
import { openRuntime, openSandbox } from '../../src/runtimes/index.ts';
import type { SandboxRequest } from '../../src/runtimes/runtime.ts';
import { openSource, SOURCE_KINDS } from '../../src/sources/index.ts';
import { parseAddress } from '../../src/sources/redis/address.ts';
import { ClientServer } from '../../src/sources/redis/client-server.ts';
import { serversOfHost } from '../../src/sources/redis/detection/on-host.ts';
import { DirectServer } from '../../src/sources/redis/direct-server.ts';
import { Transfer, type Transferred } from '../../src/sources/redis/transfer.ts';
import type { RedisServer as Way } from '../../src/sources/redis/server.ts';
import type { SourceIo } from '../../src/sources/source.ts';
import { Authority } from '../fixtures/authority.ts';
import { BACKUP_REQUEST, bench, type Bench } from '../fixtures/bench.ts';
import { DockerEngine, HAS_DOCKER, REDIS_IMAGE } from '../fixtures/docker.ts';
import { RedisServer } from '../fixtures/redis.ts';
import { NEVER } from '../fixtures/repository.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';

/** How a server sends an RDB: as it is made, with a mark at its end; or from its disk, with its length ahead. */
const FRAMINGS = ['yes', 'no'] as const;
const OPTIONS = {
  workingDirectory: '/',
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
};
const hashed = (key: number): string => createHash('sha256').update(String(key)).digest('hex');

describe('A Redis server', () => {
  let place: Bench;

  beforeEach(async () => {
    place = await bench();
    vi.stubEnv('REDISCLI_AUTH', undefined);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await place[Symbol.asyncDispose]();
  });

  it.each(FRAMINGS)(
    'sends all that it holds, by its own protocol and by redis-cli (diskless: %s)',
    async (diskless) => {
      await using server = await RedisServer.start(['--repl-diskless-sync', diskless]);
      server.fill(20_000, hashed);
      await server.ask('-n', '3', 'SADD', 'set', 'a', 'b');
      const address = parseAddress(server.address);
      for (const way of [
        new DirectServer(address, undefined, NEVER),
        new ClientServer(address, undefined, place.runtime, NEVER),
      ]) {
        const { bytes, result } = await transferred(way);
        expect(bytes.subarray(0, 5).toString()).toBe('REDIS');
        expect(bytes.at(-9)).toBe(0xff);
        expect(result).toMatchObject({
          keysExact: true,
          end: { bytes: bytes.length, checksum: true },
          header: { version: 10 },
          info: {
            product: 'Redis',
            role: 'master',
            databases: [
              { number: 0, keys: 20_000 },
              { number: 3, keys: 1 },
            ],
          },
        });
        await expect.poll(() => server.replicas()).toBe('');
      }
    },
  );

  it.each(FRAMINGS)('is no snapshot if the connection breaks before the end (diskless: %s)', async (diskless) => {
    const port = await freePort();
    await using server = await RedisServer.start(['--port', String(port), '--repl-diskless-sync', diskless]);
    server.fill(20_000, hashed);
    const { length } = (await transferred(new DirectServer(parseAddress(server.address), undefined, NEVER))).bytes;
    // With INFO and the answers before it, the last bytes are never let through.
    const proxy = await TcpProxy.start(port, length);
    try {
      await expect(take(`redis://127.0.0.1:${String(proxy.port)}`)).rejects.toMatchObject({ code: 'source-lost' });
      expect(await place.repository.snapshots({}, NEVER)).toEqual([]);
      await expect.poll(() => server.replicas()).toBe('');
    } finally {
      await proxy.close();
    }
  });

  it('lets in who its access control list allows to be a replica, and says what is missing', async () => {
    await using server = await RedisServer.start();
    await server.ask('SET', 'a', '1');
    await server.ask('ACL', 'SETUSER', 'backup', 'on', '>secret', '+psync', '+replconf', '+ping', '+info');
    await server.ask('ACL', 'SETUSER', 'poor', 'on', '>secret', '+info', '+replconf');
    await server.ask('ACL', 'SETUSER', 'default', 'on', '>other', '-@all', '+acl');
    const as = (user: string) => server.address.replace('redis://', `redis://${user}`);
    expect((await take(as('backup@'), 'secret')).state).toBe('succeeded');
    expect((await take(as('backup:secret@'))).state).toBe('succeeded');
    const byClient = new ClientServer(parseAddress(as('backup@')), 'secret', place.runtime, NEVER);
    expect((await byClient.info()).role).toBe('master');
    await expect(transferred(byClient)).rejects.toMatchObject({
      code: 'source-refused',
      hint: expect.stringContaining('+sync') as string,
    });
    vi.stubEnv('REDISCLI_AUTH', 'secret');
    expect((await take(as('backup@'))).state).toBe('succeeded');
    const refused: [user: string, password: string, hint: RegExp][] = [
      ['backup@', 'wrong', /User or password/],
      ['poor@', 'secret', /ACL SETUSER/],
      ['', 'other', /ACL SETUSER/],
    ];
    for (const [user, password, hint] of refused) {
      const failure = await take(as(user), password).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'source-refused', hint: expect.stringMatching(hint) as string });
      expect(String(failure)).not.toContain(password);
    }
  });

  it('is asked for its certificate', async () => {
    await using authority = await Authority.make();
    await using stranger = await Authority.make();
    await authority.issue('server');
    await authority.issue('client');
    const port = String(await freePort());
    const file = (name: string) => path.join(authority.folder, name);
    const files = ['--tls-cert-file', file('server.pem'), '--tls-key-file', file('server.key')];
    const tls = ['--port', '0', '--tls-port', port, ...files, '--tls-ca-cert-file', file('ca.pem')];
    await using server = await RedisServer.start(tls);
    await server.ask('SET', 'a', '1');
    const known = `cert=${file('client.pem')}&key=${file('client.key')}`;
    const address = `rediss://127.0.0.1:${port}?${known}&cacert=`;
    expect((await take(`${address}${file('ca.pem')}`)).state).toBe('succeeded');
    const byClient = new ClientServer(parseAddress(`${address}${file('ca.pem')}`), undefined, place.runtime, NEVER);
    expect((await transferred(byClient)).result.end.checksum).toBe(true);
    await expect(take(`${address}${path.join(stranger.folder, 'ca.pem')}`)).rejects.toMatchObject({
      code: 'source-missing',
      message: expect.stringMatching(/certificate/) as string,
    });
    await expect(take(`${address}${file('nobody.pem')}`)).rejects.toMatchObject({ code: 'usage' });
  });

  it('that is not to be replicated says what else can be done', async () => {
    await using server = await RedisServer.start(['--rename-command', 'PSYNC', '']);
    await expect(take(server.address)).rejects.toMatchObject({
      code: 'source-refused',
      message: expect.stringContaining('unknown command') as string,
      hint: expect.stringContaining('export an RDB') as string,
    });
    expect(await place.repository.snapshots({}, NEVER)).toEqual([]);
  });

  it('is told from nobody', async () => {
    const port = await freePort();
    await expect(take(`redis://127.0.0.1:${String(port)}`)).rejects.toMatchObject({
      code: 'source-missing',
      message: expect.stringContaining(`Redis at 127.0.0.1:${String(port)}`) as string,
    });
  });

  it('without checksums is stored with a word on that', async () => {
    await using server = await RedisServer.start(['--rdbchecksum', 'no']);
    await server.ask('SET', 'a', '1');
    const { findings, snapshot } = await take(server.address);
    expect(findings).toMatchObject([{ severity: 'note', code: 'checksum-missing' }]);
    expect(await factsOf(snapshot)).toMatchObject({ checksum: false });
    expect((await prove(snapshot)).state).toBe('proven');
  });

  it('is proven by a server that loads as many keys, without those that have expired', async () => {
    await using server = await RedisServer.start();
    server.fill(500, hashed);
    let snapshot: Snapshot | undefined;
    do {
      // It has to be there yet while it is backed up, however slow the machine is.
      await server.ask('SET', 'gone', '1', 'PX', '3000');
      ({ snapshot } = await take(server.address));
    } while (JSON.stringify(await factsOf(snapshot)).includes('"keys":500'));
    await expect.poll(() => server.ask('EXISTS', 'gone')).toBe('0');
    const proven = await prove(snapshot);
    expect(proven.report.checks).toEqual([
      { name: 'rdb', passed: true, detail: expect.stringMatching(/checksum is right/) as string },
      { name: 'redis-check-rdb', passed: true, detail: 'RDB looks OK' },
      { name: 'keys', passed: true, detail: '500 keys (db0: 500), without 1 that expired meanwhile' },
    ]);
    expect(proven.state).toBe('proven');
    const other = await altered(snapshot, { databases: [{ number: 0, keys: 502 }] });
    expect(await prove(other)).toMatchObject({
      state: 'refuted',
      report: {
        checks: [{}, {}, { passed: false, detail: expect.stringContaining('recorded were db0: 502') as string }],
      },
    });
    const assertions = [{ sql: 'SELECT 1' }];
    await expect(prove(snapshot, { assertions })).rejects.toMatchObject({ code: 'config' });
  });

  it('that is being written is stored and proven, without a number of keys that nobody knows', async () => {
    await using server = await RedisServer.start();
    server.fill(50_000, hashed);
    const writer = spawn(
      'redis-benchmark',
      ['-s', server.socket, '-q', '-t', 'set', '-r', '1000000', '-n', '1000000000'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const gone = once(writer, 'exit');
    try {
      await once(writer.stdout, 'data');
      const { snapshot } = await take(server.address);
      expect(await factsOf(snapshot)).toMatchObject({ keysExact: false });
      expect((await prove(snapshot)).state).toBe('proven');
    } finally {
      writer.kill('SIGKILL');
      await gone;
    }
  });

  it('in a container is reached by its own redis-cli, and proven in its own image', async ({ skip }) => {
    skip(!HAS_DOCKER, 'this needs root, and an engine');
    await using engine = await DockerEngine.start();
    await engine.importRedisImage();
    await engine.redis('cache', '--env', 'REDIS_PASSWORD=of another time');
    const env = { DOCKER_HOST: engine.host, HOME: place.folder };
    const container = { kind: 'docker', container: 'cache', labels: [] } as const;
    const there = { ...place, runtime: await openRuntime(container, env, systemClock) };
    await engine.docker('exec', 'cache', 'redis-cli', 'SET', 'a', '1');
    await engine.docker('exec', 'cache', 'redis-cli', 'ACL', 'SETUSER', 'default', '>its secret');
    await expect(take('redis://', 'wrong', there)).rejects.toMatchObject({ code: 'source-refused' });
    await expect(take('redis://', undefined, there)).rejects.toMatchObject({ code: 'source-refused' });
    await expect(take('redis://localhost:1', undefined, there)).rejects.toMatchObject({ code: 'source-missing' });
    await engine.docker(
      'exec',
      'cache',
      'redis-cli',
      '--pass',
      'its secret',
      'ACL',
      'SETUSER',
      'default',
      '>of another time',
    );
    expect((await take('redis://', undefined, there)).state).toBe('succeeded');
    const { snapshot } = await take('redis://', 'its secret', there);
    expect(snapshot?.paths).toEqual(['/redis/docker/cache/localhost:6379']);
    expect(await factsOf(snapshot)).toMatchObject({
      databases: [{ number: 0, keys: 1 }],
      checksum: true,
      keysExact: true,
    });
    const sandbox = (request: SandboxRequest) => openSandbox(request, env);
    const proven = await prove(snapshot, { image: REDIS_IMAGE }, sandbox);
    expect(proven).toMatchObject({ state: 'proven', report: { server: expect.stringContaining('Redis') as string } });
    expect(proven.report.checks.map(({ name }) => name)).toEqual(['rdb', 'redis-check-rdb', 'keys']);
    expect(await engine.docker('ps', '-aq', '--no-trunc')).not.toContain('\n');
  });

  it('is found on this host by its process, and backed up as it was found', async () => {
    await using one = await RedisServer.start();
    const port = String(await freePort());
    await using _other = await RedisServer.start(['--port', port, '--cluster-enabled', 'yes']);
    const found = await serversOfHost(NEVER);
    const at = (address: string) => found.find((server) => server.address === address);
    const process = expect.stringMatching(/^process \d+$/) as string;
    const [own, node] = [at(`redis://?socket=${one.socket}`), at(`redis://localhost:${port}`)];
    expect(own).toMatchObject({
      kind: 'redis',
      target: { kind: 'host' },
      reasons: [process, `socket ${one.socket}`],
    });
    expect(node?.reasons).toEqual([process, `port ${port}`, 'a node of a cluster']);
    expect((await take(own?.address ?? '')).state).toBe('succeeded');
  });

  it('is found in what processes tell of themselves, unless it watches others or lies in a container', async () => {
    const lines = {
      '11': '/usr/bin/redis-server 127.0.0.1:6379',
      '12': '/opt/valkey-server *:7000 [cluster]',
      '13': 'redis-server 10.0.0.7:6380',
      '14': 'redis-sentinel *:26379 [sentinel]',
      '15': 'redis-server *:26379 [sentinel]',
      '16': 'vi redis-server.conf',
      '17': 'redis-server *:6390',
    };
    for (const [pid, line] of Object.entries(lines)) {
      await mkdir(path.join(place.folder, 'proc', pid), { recursive: true });
      await writeFile(path.join(place.folder, 'proc', pid, 'cmdline'), line);
    }
    await writeFile(path.join(place.folder, 'proc/17/cgroup'), '0::/system.slice/docker-0a1b.scope');
    const found = await serversOfHost(NEVER, path.join(place.folder, 'proc'));
    expect(found.map(({ name, address }) => `${name} ${address}`).toSorted()).toEqual([
      'redis redis://localhost:6379',
      'redis-2 redis://10.0.0.7:6380',
      'valkey redis://localhost:7000',
    ]);
  });

  it('has a portable copy', async () => {
    await using server = await RedisServer.start();
    await server.ask('SET', 'a', '1');
    for await (const portable of openSource(server.address, OPTIONS).portable?.(ioOf()) ?? []) {
      const plain = Buffer.concat(await Array.fromAsync(portable.content));
      expect(plain.subarray(0, 5).toString()).toBe('REDIS');
      expect(portable).toMatchObject({ name: 'redis', extension: 'rdb' });
      expect(portable.about()).toMatchObject({ facts: { keys: 'db0: 1' }, restoreCommand: 'cat > dump.rdb' });
    }
  });

  async function transferred(way: Way): Promise<{ bytes: Buffer; result: Transferred }> {
    const transfer = new Transfer(way);
    const pieces = await Array.fromAsync(transfer.bytes(), (piece) => Buffer.from(piece));
    return { bytes: Buffer.concat(pieces), result: await transfer.result() };
  }

  function ioOf(): SourceIo {
    return { runtime: place.runtime, signal: NEVER, report: () => undefined, expect: () => undefined };
  }

  async function take(address: string, password?: string, ports: Bench = place): Promise<BackupOutcome> {
    const where = ports.runtime.kind === 'docker' ? { place: 'docker/cache' } : {};
    const source = openSource(address, { ...OPTIONS, ...where, ...(password !== undefined && { password }) });
    return backup({ ...BACKUP_REQUEST, source }, { ...ports, clock: systemClock }, NEVER);
  }

  async function factsOf(snapshot: Snapshot | undefined): Promise<Record<string, unknown>> {
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const bytes = await place.repository.readable(snapshot, NEVER).read('/respaldo.json');
    return JSON.parse(Buffer.from(bytes ?? []).toString()) as Record<string, unknown>;
  }

  /** The same snapshot with other facts. */
  async function altered(
    snapshot: Snapshot | undefined,
    change: Record<string, unknown>,
  ): Promise<Snapshot | undefined> {
    const facts = JSON.stringify({ ...(await factsOf(snapshot)), ...change });
    const rdb = snapshot && (await place.repository.readable(snapshot, NEVER).read('/rdb/dump.rdb'));
    const metadata = { mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n };
    const entries = async function* (): AsyncGenerator<Entry> {
      yield await Promise.resolve({ kind: 'directory', path: '/rdb', metadata: { ...metadata, mode: 0o700 } });
      yield { kind: 'file', path: '/rdb/dump.rdb', metadata, content: [rdb ?? new Uint8Array()] };
      yield { kind: 'file', path: '/respaldo.json', metadata, content: [Buffer.from(facts)] };
    };
    const about = { time: new Date(), hostname: 'host', username: 'maria', paths: ['/redis/x'], tags: ['type=full'] };
    return (await place.repository.save(entries(), { ...about, excludes: [] }, {}, NEVER)).snapshot;
  }

  function prove(
    snapshot: Snapshot | undefined,
    settings: Partial<DrillSettings> = {},
    openSandboxOf: VerifyPorts['openSandbox'] = () => Promise.reject(new Error('no container is wanted here')),
  ): Promise<VerifyOutcome> {
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const ports = { ...place, kinds: SOURCE_KINDS, clock: systemClock, openSandbox: openSandboxOf };
    const request = { snapshot, settings: { assertions: [], timeoutSeconds: 2, ...settings }, folder: tmpdir() };
    return verify(request, ports, NEVER);
  }
});
