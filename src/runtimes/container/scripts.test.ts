import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ending, launching, looking, preamble, type Launch } from './scripts.ts';

/** Each as a container has it: under the name `sh`. */
const SHELLS = ['/bin/sh', '/bin/bash', '/bin/busybox'].filter((shell) => existsSync(shell));

describe.each(SHELLS)('in %s', (shell) => {
  const start = ([, ...args]: readonly string[]) => {
    const options = { argv0: 'sh', detached: true, env: { PATH: process.env['PATH'] } };
    const child = spawn(shell, args, options);
    child.stdin.on('error', () => undefined);
    const exited = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'nothing'));
    });
    const outcome = Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { child, outcome: outcome.then(([stdout, stderr, code]) => ({ stdout, stderr, code })) };
  };
  const launch = (argv: Launch['argv'], stdin = Buffer.alloc(0), options: Partial<Launch> = {}) => {
    const { child, outcome } = start(launching({ mark: 'mark', preamble: true, ...options, argv }));
    child.stdin.end(stdin);
    return outcome;
  };
  const framed = (...pieces: readonly string[]) =>
    Buffer.concat([preamble({}, 'framed'), ...pieces.map((piece) => Buffer.from(`${piece.length}\n${piece}`))]);

  it('gives variables their values, whatever they hold', async () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((it) => !it.includes('\0'));
    await fc.assert(
      fc.asyncProperty(value, value, async (one, two) => {
        const env = { ONE: one, _TWO: two };
        const argv = ['sh', '-c', 'printf "%s\\n-\\n%s" "$ONE" "$_TWO"'] as const;
        const { stdout, code } = await launch(argv, Buffer.from(preamble(env, 'none')));
        expect({ stdout, code }).toEqual({ stdout: `${one}\n-\n${two}`, code: 0 });
      }),
      {
        numRuns: 25,
        examples: [
          ["'; echo no; '", '$(id) `id` \\\n"'],
          ['', '\n\n'],
        ],
      },
    );
  });

  it('gives a program its input, and its arguments, as they are', async () => {
    const input = Buffer.concat([preamble({}, 'plain'), Buffer.from('first\nsecond')]);
    expect(await launch(['cat'], input)).toMatchObject({ stdout: 'first\nsecond', code: 0 });
    expect(
      await launch(['printf', '<%s>', '', '$HOME', '*', 'a b', '-n'], Buffer.from(preamble({}, 'none'))),
    ).toMatchObject({ stdout: '<><$HOME><*><a b><-n>' });
  });

  it('puts pieces together that were framed, and gives the exit code', async () => {
    const long = 'x'.repeat(200_000);
    const { stdout, stderr, code } = await launch(['sh', '-c', 'cat; exit 7'], framed('a\n', long, '0', ''));
    expect({ stdout: stdout.length, code }).toEqual({ stdout: 200_003, code: 7 });
    expect(stderr).toMatch(/^mark started \d+ \d+\n(sh: .*\n)?mark ended\n$/);
  });

  it.each([
    ['between pieces', framed('begin;')],
    ['in a piece', Buffer.concat([framed('begin;'), Buffer.from('100\nhalf')])],
    ['in a length', Buffer.concat([framed('begin;'), Buffer.from('10')])],
  ])('does not let a program take framed input that broke off %s for all of it', async (_, input) => {
    const { stdout, code } = await launch(['sh', '-c', 'cat >/dev/null; echo finished'], input);
    expect({ stdout, code }).toEqual({ stdout: '', code: 'SIGKILL' });
  });

  it('says what is missing', async () => {
    const none = Buffer.from(preamble({}, 'none'));
    expect(await launch(['respaldo-no-such'], none)).toMatchObject({ stderr: 'mark program\n', code: 127 });
    expect(await launch(['true'], none, { folder: '/no such' })).toMatchObject({ stderr: 'mark folder\n', code: 126 });
    expect(await launch(['true'], Buffer.from('2 plain\nexport A=1\n'))).toMatchObject({ stderr: '', code: 125 });
  });

  it('finds the program that it started, and ends it with all that it has started', async () => {
    const argv = ['sh', '-c', 'trap "" TERM; sleep 8263550 & echo on; wait; wait'] as const;
    const { child, outcome } = start(launching({ mark: 'mark', preamble: false, argv }));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const pid = child.pid ?? 0;
    const born = (await startOf(pid)) ?? '';
    const code = async (script: readonly string[]) => (await start(script).outcome).code;
    expect(await code(looking({ pid, born }))).toBe(0);
    expect(await code(looking({ pid, born: '1' }))).toBe(1);
    expect(await code(ending({ pid, born: '1' }, 200))).toBe(0);
    expect(await code(looking({ pid, born }))).toBe(0);
    expect(await code(ending({ pid, born }, 200))).toBe(0);
    expect((await outcome).code).toBe('SIGKILL');
    expect(await code(looking({ pid, born }))).toBe(1);
    expect((await outcome).stderr).toBe(`mark started ${pid} ${born}\n`);
  });
});

/** In the kernel's ticks. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
