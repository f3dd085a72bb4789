import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';

import { HostRuntime } from '../../src/runtimes/host.ts';
import { processesOfHost } from '../fixtures/processes.ts';
import type { RuntimeFixture } from './runtime.ts';
import { describeRuntime } from './runtime.ts';
import { ours } from './store.ts';

const signal = new AbortController().signal;

describeRuntime('host', async (): Promise<RuntimeFixture> => ({
  runtime: new HostRuntime({ grace: 200 }),
  blocksBetween: 24,
  processes: processesOfHost,
  kill: async (pid, name) => {
    process.kill(pid, name);
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));

describe('HostRuntime', () => {
  const text = async (...[command]: Parameters<HostRuntime['run']>) =>
    Buffer.concat(await Array.fromAsync(new HostRuntime().run(command, signal))).toString();

  it('runs where it is told', async () => {
    expect(await text({ argv: ['pwd'], cwd: tmpdir() }, signal)).toBe(`${await realpath(tmpdir())}\n`);
    await expect(text({ argv: ['pwd'], cwd: '/no/such/folder' }, signal)).rejects.toThrow('/no/such/folder');
  });

  it.runIf(process.getuid?.() === 0)('runs as another user, with none of our groups and no home', async () => {
    const user = { uid: 65534, gid: 65534 };
    expect(await text({ argv: ['sh', '-c', 'id -u; id -g; id -G; echo "$HOME"'], user }, signal)).toBe(
      '65534\n65534\n65534\n\n',
    );
  });

  it.each([
    ['a NUL byte', ['true', 'a\0b'] as const],
    ['more arguments than the kernel takes', ['true', 'x'.repeat(300_000)] as const],
  ])('says that a program cannot be started with %s', async (_, argv) => {
    await expect(text({ argv }, signal)).rejects.toThrow(ours('command-failed'));
  });
});
