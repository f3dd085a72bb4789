/** What every runtime must do, wherever its programs run. The programs are those of any Linux. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RespaldoError } from '../../src/errors.ts';
import type { Command, Runtime } from '../../src/runtimes/runtime.ts';
import { ours } from './store.ts';

const GIGABYTE = 1024;
/** For what moves much, also on a machine that has much else to do. Milliseconds. */
const LONG = 240_000;
/** Processes are found by it: those of this suite alone, as others may run at the same time. Good for `sleep` too. */
const MARK = String(process.pid);

/** Zeros, a mebibyte at a time. */
const mebibytes = (count: number) => ['dd', 'if=/dev/zero', 'bs=1048576', `count=${count}`] as const;

export interface RuntimeFixture extends AsyncDisposable {
  readonly runtime: Runtime;
  /** Ids of the running processes whose command line holds the text, as the runtime's own place sees them. */
  processes(text: string): Promise<readonly number[]>;
  kill(pid: number, signal: NodeJS.Signals): Promise<void>;
  /** How many blocks of 64 KiB lie, at most, between a program and who reads it slowly: in pipes and sockets. */
  readonly blocksBetween: number;
}

export function describeRuntime(name: string, make: () => Promise<RuntimeFixture>): void {
  describe(name, () => {
    let fixture: RuntimeFixture;
    let runtime: Runtime;
    let stop: AbortController;

    beforeEach(async () => {
      fixture = await make();
      runtime = fixture.runtime;
      stop = new AbortController();
    });
    afterEach(async () => {
      stop.abort();
      await fixture[Symbol.asyncDispose]();
    });

    const run = (command: Command) => runtime.run(command, stop.signal);
    const text = async (command: Command) => Buffer.concat(await Array.fromAsync(run(command))).toString();
    const failure = async (command: Command) =>
      text(command).then(
        (output) => expect.fail(`it succeeded: ${output}`),
        (error: unknown) => error as RespaldoError,
      );

    it('streams a gigabyte through little memory', { timeout: LONG }, async () => {
      const before = process.memoryUsage().rss;
      let peak = 0;
      let length = 0;
      for await (const piece of run({ argv: mebibytes(GIGABYTE) })) {
        length += piece.length;
        peak = Math.max(peak, process.memoryUsage.rss());
      }
      expect(length).toBe(GIGABYTE * 1_048_576);
      expect(peak - before).toBeLessThan(150_000_000);
    });

    it('hands on every byte as it is', async () => {
      const every = Uint8Array.from({ length: 256 }, (_, i) => i);
      const output = await Array.fromAsync(run({ argv: ['cat'], stdin: pieces(every) }));
      expect(new Uint8Array(Buffer.concat(output))).toEqual(every);
    });

    it('lets a program wait that is read slowly', { timeout: LONG }, async () => {
      const slow = `i=0; while head -c 65536 /dev/zero; do i=$((i + 1)); echo $i >&2; done; : ${MARK}13`;
      const reading = run({ argv: ['sh', '-c', slow] })[Symbol.asyncIterator]();
      await reading.next();
      // In the time that this takes, some hundred blocks could have come.
      for await (const piece of run({ argv: mebibytes(200) })) expect(piece.length).not.toBe(0);
      const [pid = 0] = await until(() => fixture.processes(`${MARK}13`));
      await fixture.kill(pid, 'SIGKILL');
      const error = await drained(reading).catch((thrown: unknown) => thrown as RespaldoError);
      expect(Number(error?.message.split('\n').at(-1))).toBeLessThan(fixture.blocksBetween);
    });

    it('passes arguments on as they are, through no shell', async () => {
      const args = ['$(touch /tmp/never)', '`id`', 'a b', "'", '"', 'line\nbreak', '*', '', '-n', 'ñ', '; false'];
      expect(await text({ argv: ['printf', '<%s>', ...args] })).toBe(args.map((arg) => `<${arg}>`).join(''));
    });

    it('keeps standard error apart, and tells it when the program fails', async () => {
      expect(await text({ argv: ['sh', '-c', 'echo out; echo err >&2'] })).toBe('out\n');
      const error = await failure({ argv: ['sh', '-c', 'echo out; echo the reason >&2; exit 3'] });
      expect(error).toEqual(ours('command-failed'));
      expect(error.message).toMatch(/exit code 3:\nthe reason$/);
      expect(error.context).toMatchObject({ code: 3 });
    });

    it('tells the last words alone of a program that talks and talks', async () => {
      const error = await failure({
        argv: ['sh', '-c', 'yes blah | head -c 10000000 >&2; echo last words >&2; exit 1'],
      });
      expect(error.message).toMatch(/blah\nlast words$/);
      expect(error.message.length).toBeLessThan(9000);
    });

    it.each([1, 2, 126, 255])('fails with exit code %i, after all output', async (code) => {
      const received: Uint8Array[] = [];
      const reading = (async () => {
        for await (const piece of run({ argv: ['sh', '-c', `head -c 300000 /dev/zero; exit ${code}`] }))
          received.push(piece);
      })();
      await expect(reading).rejects.toThrow(ours('command-failed'));
      expect(Buffer.concat(received).length).toBe(300_000);
    });

    it('fails if the program is killed, however whole the output looks', async () => {
      const reading = run({ argv: ['sh', '-c', `echo ${MARK}14; exec sleep ${MARK}14`] })[Symbol.asyncIterator]();
      await reading.next();
      const [pid = 0] = await until(() => fixture.processes(`sleep ${MARK}14`));
      const rest = reading.next();
      await fixture.kill(pid, 'SIGKILL');
      await expect(rest).rejects.toThrow(ours('command-failed'));
      await expect(rest).rejects.toThrow(/SIGKILL|137/);
    });

    it('does not wait for what a program that failed has left behind', async () => {
      await expect(text({ argv: ['sh', '-c', `sleep ${MARK}15 & exit 1`] })).rejects.toThrow(ours('command-failed'));
      expect(await fixture.processes(`sleep ${MARK}15`)).toEqual([]);
    });

    it('lets a daemon live that was started well and has closed what it inherited', async () => {
      expect(await text({ argv: ['sh', '-c', `sleep ${MARK}16 >/dev/null 2>&1 & echo $!`] })).toMatch(/^\d+\n$/);
      const [pid = 0] = await until(() => fixture.processes(`sleep ${MARK}16`));
      await fixture.kill(pid, 'SIGKILL');
    });

    it('says that there is no such program', async () => {
      const error = await failure({ argv: ['respaldo-no-such-program', 'x'] });
      expect(error).toEqual(ours('tool-missing'));
      expect(error.message).toContain('respaldo-no-such-program');
      expect(error.hint).toContain('Install');
    });

    it('feeds standard input and closes it', { timeout: LONG }, async () => {
      expect(await text({ argv: ['wc', '-c'], stdin: zeros(3000, 100_000) })).toMatch(/^\s*300000000\s*$/);
      expect(await text({ argv: ['wc', '-c'], stdin: zeros(0, 0) })).toMatch(/^\s*0\s*$/);
    });

    it('gives an empty standard input where there is none', async () => {
      expect(await text({ argv: ['wc', '-c'] })).toMatch(/^\s*0\s*$/);
    });

    it('asks for a piece of input only when the one before has left, as it may be overwritten', async () => {
      const shared = new Uint8Array(70_000);
      const stdin = (async function* () {
        for (let i = 0; i < 100; i++) yield shared.fill(i);
      })();
      const output = Buffer.concat(await Array.fromAsync(run({ argv: ['cat'], stdin })));
      expect(output.length).toBe(7_000_000);
      for (let i = 0; i < 100; i++)
        expect(output.subarray(i * 70_000, (i + 1) * 70_000).every((b) => b === i)).toBe(true);
    });

    it('lets the exit code decide when a program wants no more input', async () => {
      let closed = false;
      const endless = (async function* () {
        try {
          for (;;) yield new Uint8Array(65_536);
        } finally {
          closed = true;
        }
      })();
      expect(await text({ argv: ['head', '-c', '3'], stdin: endless })).toBe('\0\0\0');
      expect(closed).toBe(true);
      await expect(text({ argv: ['sh', '-c', 'exit 5'], stdin: zeros(1000, 65_536) })).rejects.toThrow('exit code 5');
    });

    it('does not let a program take input that broke off for all of it', async () => {
      const broken = (async function* () {
        yield new Uint8Array(10);
        throw new Error('the source broke');
      })();
      await expect(text({ argv: ['sh', '-c', `cat; echo ${MARK}17 finished`], stdin: broken })).rejects.toThrow(
        'the source broke',
      );
      expect(await fixture.processes(`${MARK}17`)).toEqual([]);
    });

    it('ends everybody, grandchildren too, when it is aborted', async () => {
      const reading = text({ argv: ['sh', '-c', `sleep ${MARK}18 & sh -c "sleep ${MARK}18 & wait" & wait`] });
      await until(async () => (await fixture.processes(`sleep ${MARK}18`)).length >= 2);
      stop.abort();
      await expect(reading).rejects.toThrow(ours('cancelled'));
      expect(await fixture.processes(`${MARK}18`)).toEqual([]);
    });

    it('ends also who does not listen', async () => {
      const deaf = `trap "" TERM; echo ready; while :; do sleep 0.01; done; : ${MARK}19`;
      const reading = run({ argv: ['sh', '-c', deaf] })[Symbol.asyncIterator]();
      await reading.next();
      stop.abort();
      await expect(reading.next()).rejects.toThrow(ours('cancelled'));
      expect(await fixture.processes(`${MARK}19`)).toEqual([]);
    });

    it('ends everybody when the loop is left early', async () => {
      for await (const piece of run({ argv: ['sh', '-c', `yes ${MARK}20 & yes ${MARK}20`] })) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      expect(await fixture.processes(`${MARK}20`)).toEqual([]);
    });

    it('starts nothing once it is aborted', async () => {
      stop.abort();
      await expect(text({ argv: ['true'] })).rejects.toThrow(ours('cancelled'));
    });

    it('hides secrets from the list of processes, and from what it says', async () => {
      const secret = `s3cr3t-${MARK}21`;
      const env = { RESPALDO_TEST_PASSWORD: secret };
      const command = 'echo ready; read x; echo "wrong: $RESPALDO_TEST_PASSWORD" >&2; exit 1';
      const gate = Promise.withResolvers<undefined>();
      const stdin = (async function* () {
        await gate.promise;
        yield Buffer.from('go\n');
      })();
      const reading = run({ argv: ['sh', '-c', command], env, stdin })[Symbol.asyncIterator]();
      await reading.next();
      expect(await fixture.processes(secret)).toEqual([]);
      gate.resolve(undefined);
      const error = await reading.next().catch((thrown: unknown) => thrown as RespaldoError);
      expect(error).toEqual(ours('command-failed'));
      expect(inspect(error)).not.toContain(secret);
    });

    it('gives the variables that it is told, and none of ours that nobody asked for', async () => {
      process.env['RESPALDO_TEST_LEAK'] = 'leaked';
      try {
        const variables = (await text({ argv: ['env'], env: { GREETING: 'a\nb' } })).replace('a\nb', 'ab');
        expect(variables).toContain('GREETING=ab\n');
        expect(variables).toContain('PATH=');
        expect(variables).not.toContain('leaked');
      } finally {
        delete process.env['RESPALDO_TEST_LEAK'];
      }
    });
  });
}

async function* pieces(...all: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* all;
}

async function* zeros(count: number, size: number): AsyncIterable<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(size);
}

async function drained(reading: AsyncIterator<Uint8Array>): Promise<undefined> {
  while ((await reading.next()).done !== true);
}

/** Asks until the answer is something. The test's own time limit ends it otherwise. */
async function until<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (Array.isArray(answer) ? answer.length > 0 : Boolean(answer)) return answer;
  }
}
