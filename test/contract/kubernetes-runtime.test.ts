/**
 * Pods: the contract of every runtime, and what Kubernetes promises beyond it. The API server is a double; with
 * RESPALDO_TEST_KUBERNETES=namespace/pod the contract is also tested in that pod of the cluster that KUBECONFIG names.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from 'vitest';

import { systemClock } from '../../src/clock.ts';
import { KubernetesRuntime } from '../../src/runtimes/kubernetes/kubernetes.ts';
import { ApiServer } from '../fixtures/kubernetes/api-server.ts';
import { processesOfHost } from '../fixtures/processes.ts';
import { describeRuntime } from './runtime.ts';

const patience = { grace: 200, pulse: 100 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-kubernetes-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A kubeconfig for the server, and the environment that names it. */
async function environment(server: ApiServer, user: object = { token: 'good-token' }) {
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'double', user: 'somebody' } }],
    clusters: [{ name: 'double', cluster: { server: server.url } }],
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
