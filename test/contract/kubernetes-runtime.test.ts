/**
 * Pods: the contract of every runtime, and what Kubernetes promises beyond it. The API server is a double; with
 * RESPALDO_TEST_KUBERNETES=namespace/pod the contract is also tested in that pod of the cluster that KUBECONFIG names.
 */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/clock.ts';
import type { KubernetesTarget } from '../../src/domain/runtime-target.ts';
import type { RespaldoError } from '../../src/errors.ts';
import { KubernetesApi } from '../../src/runtimes/kubernetes/api.ts';
import { findCluster } from '../../src/runtimes/kubernetes/find-cluster.ts';
import { KubernetesRuntime } from '../../src/runtimes/kubernetes/kubernetes.ts';
import { findPod } from '../../src/runtimes/kubernetes/pods.ts';
import { Authority } from '../fixtures/authority.ts';
import { ApiServer } from '../fixtures/kubernetes/api-server.ts';
import { processesOfHost } from '../fixtures/processes.ts';
import { describeRuntime } from './runtime.ts';
import { ours } from './store.ts';

const { signal } = new AbortController();
const patience = { grace: 200, pulse: 100 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-kubernetes-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A kubeconfig for the server, and the environment that names it. */
async function environment(server: ApiServer, user: object = { token: 'good-token' }, cluster: object = {}) {
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'double', user: 'somebody' } }],
    clusters: [{ name: 'double', cluster: { server: server.url, ...cluster } }],
    users: [{ name: 'somebody', user }],
  };
  await writeFile(join(folder, 'config'), JSON.stringify(config), { mode: 0o600 });
  return { KUBECONFIG: join(folder, 'config'), PATH: process.env['PATH'] };
}

describe.each([{ protocol: 'v5.channel.k8s.io' }, { protocol: 'v4.channel.k8s.io' }])('$protocol', ({ protocol }) => {
  describeRuntime('kubernetes', async () => {
    const server = await ApiServer.start({ protocols: [protocol] });
    server.place({ name: 'db-0' });
    const target = { kind: 'kubernetes', pod: 'db-0', labels: [] } as const;
    return {
      runtime: new KubernetesRuntime(target, await environment(server), systemClock, patience),
      blocksBetween: 200,
      processes: processesOfHost,
      kill: async (pid, name) => {
        process.kill(pid, name);
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  });
});

const [namespace = '', pod = ''] = (process.env['RESPALDO_TEST_KUBERNETES'] ?? '').split('/');

/** For those who ask for it: the pod needs a shell, `dd`, `printf`, `wc`, `yes`, `env` and permission to run them. */
if (pod !== '') {
  describe('in a real cluster', () => {
    describeRuntime('kubernetes', async () => {
      const runtime = new KubernetesRuntime(
        { kind: 'kubernetes', namespace, pod, labels: [] },
        process.env,
        systemClock,
        {
          grace: 500,
          pulse: 1000,
        },
      );
      const inPod = async (...argv: [string, ...string[]]) =>
        Buffer.concat(await Array.fromAsync(runtime.run({ argv }, signal))).toString();
      const list = 'for d in /proc/[0-9]*; do echo "${d#/proc/} $(tr "\\0" " " <$d/cmdline)"; done 2>/dev/null; :';
      return {
        runtime,
        blocksBetween: 1000,
        processes: async (text) =>
          (await inPod('sh', '-c', list))
            .split('\n')
            .flatMap((line) => (line.includes(text) ? [parseInt(line, 10)] : [])),
        kill: async (pid, name) => {
          await inPod('kill', '-s', name.replace('SIG', ''), String(pid));
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    });
  });
}

describe('beyond the contract', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
    server.place({ name: 'db-0', labels: { app: 'db' } });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  type Target = Partial<Omit<KubernetesTarget, 'kind'>>;
  const on = async (target: Target = { pod: 'db-0' }, user?: object) =>
    new KubernetesRuntime(
      { kind: 'kubernetes', labels: [], ...target },
      await environment(server, user),
      systemClock,
      patience,
    );
  const text = async (runtime: KubernetesRuntime, ...argv: [string, ...string[]]) =>
    Buffer.concat(await Array.fromAsync(runtime.run({ argv }, signal))).toString();
  const failure = async (runtime: KubernetesRuntime, ...argv: [string, ...string[]]) =>
    text(runtime, ...argv).then(
      (output) => expect.fail(`it succeeded: ${output}`),
      (error: unknown) => error as RespaldoError,
    );
  const endless: [string, ...string[]] = ['sh', '-c', 'yes 8263540'];

  describe('a connection', () => {
    it.each(['cut', 'closed'] as const)('that is %s before the status is no success', async (what) => {
      server.mishap = { after: 500_000, what };
      const error = await failure(await on(), ...endless);
      expect(error).toEqual(ours('source-lost'));
      expect(error.message).toContain(what === 'cut' ? '1006' : '1000');
      expect(await processesOfHost('8263540')).toEqual([]);
    });

    it('that is cut while a program gets its input ends the program, where the protocol tells it', async () => {
      await server[Symbol.asyncDispose]();
      server = await ApiServer.start({ protocols: ['v4.channel.k8s.io'] });
      server.place({ name: 'db-0' });
      server.mishap = { after: 1, what: 'cut' };
      const marker = join(folder, 'finished');
      const stdin = (async function* () {
        yield Buffer.from('begin;\n');
        await new Promise(() => undefined);
      })();
      const command = { argv: ['sh', '-c', `echo 8263541; cat; touch ${marker}`], stdin } as const;
      await expect(Array.fromAsync((await on()).run(command, signal))).rejects.toThrow(ours('source-lost'));
      await until(async () => (await processesOfHost('8263541')).length === 0);
      await expect(access(marker)).rejects.toThrow('ENOENT');
    });

    it('that has stalled can still be given up', async () => {
      server.mishap = { after: 500_000, what: 'stalled' };
      const stop = new AbortController();
      let length = 0;
      const reading = (async () => {
        for await (const piece of (await on()).run({ argv: endless }, stop.signal)) {
          length += piece.length;
          if (length >= 500_000) stop.abort();
        }
      })();
      await expect(reading).rejects.toThrow(ours('cancelled'));
      expect(await processesOfHost('8263540')).toEqual([]);
    });

    it('to a pod that is deleted in the middle says that it was', async () => {
      server.mishap = { after: 500_000, what: 'deleted' };
      const error = await failure(await on(), ...endless);
      expect(error).toEqual(ours('source-lost'));
      expect(error.message).toContain('the pod default/db-0 was deleted');
    });
  });

  describe('a pod', () => {
    it('is found by name, by labels, in its namespace, with its container', async () => {
      server.place({ name: 'db-0', namespace: 'shop', labels: { app: 'db', role: 'a' }, env: { WHO: 'shop' } });
      server.place({ name: 'db-1', namespace: 'shop', labels: { app: 'db', role: 'b' }, ready: false });
      const annotations = { 'kubectl.kubernetes.io/default-container': 'main' };
      server.place({ name: 'two', namespace: 'shop', containers: ['side', 'main'], annotations });
      for (const target of [
        { pod: 'db-0', namespace: 'shop' },
        { labels: ['app=db'], namespace: 'shop' },
        { labels: ['app', 'role=a'], namespace: 'shop', container: 'main' },
      ]) {
        const runtime = await on(target);
        expect(await text(runtime, 'sh', '-c', 'echo $WHO')).toBe('shop\n');
        expect(runtime.place).toBe('the pod shop/db-0');
      }
      expect(await text(await on({ pod: 'db-1', namespace: 'shop' }), 'echo', 'hi')).toBe('hi\n');
      expect(await text(await on({ pod: 'two', namespace: 'shop' }), 'echo', 'hi')).toBe('hi\n');
    });

    it.each([
      [
        'is not there',
        { pod: 'db' },
        'source-missing',
        'It has: bare, broken, db-0, going, two, unready-0, unready-1.',
      ],
      ['has other labels', { labels: ['app=none'] }, 'source-missing', 'kubectl get pods -n default --show-labels'],
      ['does not run', { pod: 'broken' }, 'source-refused', 'kubectl describe pod -n default broken'],
      ['is being deleted', { pod: 'going' }, 'source-refused', 'successor'],
      ['is not ready', { labels: ['app=unready'] }, 'source-refused', 'name the pod'],
      ['is one of several', { labels: ['many'] }, 'usage', 'Name one of them'],
      ['has several containers', { pod: 'two' }, 'usage', 'container'],
      ['has no such container', { pod: 'two', container: 'c' }, 'source-missing', 'It has: a, b.'],
      ['has no shell', { pod: 'bare' }, 'tool-missing', 'shell'],
      ['nobody has named', {}, 'usage', 'pod: name'],
    ] as const)('that %s is told', async (_, target, code, hint) => {
      server.place({ name: 'broken', waiting: 'CrashLoopBackOff' });
      server.place({ name: 'going', deleting: true });
      server.place({ name: 'unready-0', labels: { app: 'unready' }, ready: false });
      server.place({ name: 'unready-1', labels: { app: 'unready' }, ready: false });
      server.place({ name: 'two', containers: ['a', 'b'], labels: { many: '1' } });
      server.place({ name: 'bare', empty: true, labels: { many: '2' } });
      const error = await failure(await on(target), 'true');
      expect(error).toEqual(ours(code));
      expect(error.hint).toContain(hint);
    });

    it('that is replaced by another one of its name is not that other one', async () => {
      const runtime = await on();
      await text(runtime, 'true');
      server.place({ name: 'db-0' });
      expect((await failure(runtime, 'true')).message).toContain('was replaced');
    });

    it('that is replaced just then gets neither program nor secrets', async () => {
      const runtime = await on();
      await text(runtime, 'true');
      server.onExec = () => server.place({ name: 'db-0' });
      const marker = join(folder, 'ran');
      const command = { argv: ['sh', '-c', `env >${marker}`], env: { PGPASSWORD: 's3cr3t' } } as const;
      await expect(Array.fromAsync(runtime.run(command, signal))).rejects.toThrow(ours('source-lost'));
      await expect(access(marker)).rejects.toThrow('ENOENT');
    });

    it('runs nothing as another user', async () => {
      const running = Array.fromAsync((await on()).run({ argv: ['id'], user: { uid: 5, gid: 5 } }, signal));
      await expect(running).rejects.toThrow(ours('usage'));
    });
  });

  describe('a cluster', () => {
    it.each(['list pods', 'get pods', 'create pods/exec'])(
      'that does not let us %s says what the role needs',
      async (verb) => {
        server.forbidden.add(verb);
        const error = await failure(await on(verb === 'list pods' ? { labels: ['app=db'] } : undefined), 'true');
        expect(error).toEqual(ours('source-refused'));
        expect(error.message).toContain('403');
        expect(error.hint).toContain('pods/exec');
      },
    );

    it('that does not know us is told, without the secret', async () => {
      const error = await failure(await on(undefined, { token: 'old-secret' }), 'true');
      expect(error).toEqual(ours('source-refused'));
      expect(error.message).toContain('401');
      expect(inspect(error)).not.toContain('old-secret');
    });

    it('gets a new token from the program that logs in when the old one has expired', async () => {
      const login = join(folder, 'login');
      const count = join(folder, 'count');
      const credential = `{"kind":"ExecCredential","status":{"token":"'"$TOKEN"'-'$(wc -l <${count})'"}}`;
      await writeFile(login, `#!/bin/sh\necho >>${count}\necho '${credential}'\n`, { mode: 0o755 });
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: './login',
        env: [{ name: 'TOKEN', value: 't' }],
      };
      const runtime = await on(undefined, { exec });
      server.tokens.clear();
      server.tokens.add('t-1');
      expect(await text(runtime, 'echo', '1')).toBe('1\n');
      expect(await text(runtime, 'echo', '2')).toBe('2\n');
      server.tokens.clear();
      server.tokens.add('t-2');
      expect(await text(runtime, 'echo', '3')).toBe('3\n');
    });

    it('whose login program is missing, fails or talks nonsense is told', async () => {
      const exec = (command: string) => ({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command } });
      expect(await failure(await on(undefined, exec('respaldo-no-such-login')), 'true')).toEqual(ours('tool-missing'));
      expect(await failure(await on(undefined, exec('false')), 'true')).toEqual(ours('command-failed'));
      expect(await failure(await on(undefined, exec('true')), 'true')).toEqual(ours('command-failed'));
    });

    it('reads a token that lies in a file each time', async () => {
      await writeFile(join(folder, 'token'), 'first\n');
      const runtime = await on(undefined, { tokenFile: 'token' });
      server.tokens.add('first');
      expect(await text(runtime, 'echo', '1')).toBe('1\n');
      server.tokens.delete('first');
      server.tokens.add('second');
      await writeFile(join(folder, 'token'), 'second\n');
      expect(await text(runtime, 'echo', '2')).toBe('2\n');
    });

    it('that nobody answers for is told', async () => {
      const runtime = await on();
      await server[Symbol.asyncDispose]();
      expect(await failure(runtime, 'true')).toEqual(ours('source-lost'));
      server = await ApiServer.start();
    });
  });

  describe('over TLS', () => {
    let authority: Authority;
    let secure: ApiServer;
    beforeEach(async () => {
      authority = await Authority.make();
      await authority.issue('server');
      await authority.issue('client');
      const read = (name: string) => readFile(join(authority.folder, name), 'utf8');
      const [ca, cert, key] = await Promise.all([read('ca.pem'), read('server.pem'), read('server.key')]);
      secure = await ApiServer.start({ tls: { ca, cert, key, requestCert: true, rejectUnauthorized: false } });
      secure.place({ name: 'db-0' });
    });
    afterEach(async () => {
      await secure[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    });
    const target = { kind: 'kubernetes', pod: 'db-0', labels: [] } as const;

    it('shows a certificate, and knows the server by the authority', async () => {
      const file = (name: string) => join(authority.folder, name);
      const cluster = { 'certificate-authority': file('ca.pem') };
      const user = { 'client-certificate': file('client.pem'), 'client-key-data': await base64(file('client.key')) };
      const known = new KubernetesRuntime(target, await environment(secure, user, cluster), systemClock, patience);
      expect(await text(known, 'echo', 'hi')).toBe('hi\n');
      const unknown = new KubernetesRuntime(target, await environment(secure, user), systemClock, patience);
      expect(await failure(unknown, 'true')).toEqual(ours('source-lost'));
    });

    it('uses the account of the pod that Respaldo itself runs in', async () => {
      await writeFile(join(folder, 'token'), 'good-token');
      await writeFile(join(folder, 'namespace'), 'default');
      await writeFile(join(folder, 'ca.crt'), await readFile(join(authority.folder, 'ca.pem')));
      const { hostname, port } = new URL(secure.url);
      const env = { HOME: folder, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
      const cluster = await findCluster(undefined, env, systemClock, folder);
      const pod = await findPod(new KubernetesApi(cluster), target);
      const exec = await pod.exec({ argv: ['echo', 'hi'], stdin: false });
      expect(await Array.fromAsync(exec.output)).toEqual([{ from: 'stdout', bytes: Buffer.from('hi\n') }]);
      expect(await exec.exit()).toEqual({ code: 0 });
      exec.close();
    });
  });
});

async function base64(file: string): Promise<string> {
  return (await readFile(file)).toString('base64');
}

/** The test's own time limit ends it otherwise. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}
