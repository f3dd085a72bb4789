/** Containers of a real Docker engine: the contract of every runtime, and what Docker promises beyond it. */
import { afterAll, beforeAll, describe } from 'vitest';

import { DockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';
import { processesOfHost } from '../fixtures/processes.ts';
import { describeRuntime } from './runtime.ts';

describe.skipIf(!HAS_DOCKER)('in Docker', () => {
  let engine: DockerEngine;
  beforeAll(async () => {
    engine = await DockerEngine.start();
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

  describeRuntime('docker', async () => ({
    runtime: runtime({ container: 'one' }),
    blocksBetween: 100,
    processes: processesOfHost,
    kill: async (pid, name) => {
      process.kill(pid, name);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));
});
