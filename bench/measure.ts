/** Runs a command as a process of its own and tells what it took. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/clock.ts';
import type { Command } from './tools/tool.ts';

/** What one run took. */
export interface Sample {
  /** Seconds from start to end. */
  readonly wall: number;
  /** Seconds of processor time, in user mode and in the system. */
  readonly cpu: number;
  /** The largest resident set, in bytes. */
  readonly memory: number;
}

/** GNU time: the operating system counts for the process that it starts, and for nobody else. */
const TIME = '/usr/bin/time';
const CORES = 2;

/**
 * Runs it to its end, on at most two cores. What it prints is thrown away.
 * @param folder the tools' home, and a place for short-lived files
 * @throws Error with what it said, if it fails
 */
export async function measure(command: Command, folder: string, signal: AbortSignal): Promise<Sample> {
  const report = join(folder, 'time');
  const errors = join(folder, 'errors');
  const timed = [TIME, '--quiet', '--format', '%U %S %M', '--output', report, ...onFewCores(), ...command.argv];
  // Through a pipe, as from pg_dump: from a file a tool could read elsewhere than from start to end.
  const argv = command.input === undefined ? timed : ['sh', '-c', 'cat "$0" | "$@"', command.input, ...timed];
  const stderr = openSync(errors, 'w');
  const start = systemClock.monotonic();
  const env = { ...surroundings(folder), ...command.env };
  const code = await run({ ...command, argv, env }, stderr, signal).finally(() => closeSync(stderr));
  const wall = (systemClock.monotonic() - start) / 1000;
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${command.argv.join(' ')} exited with ${code}:\n${readFileSync(errors, 'utf8')}`);
  const [user = 0, system = 0, kibibytes = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return { wall, cpu: user + system, memory: kibibytes * 1024 };
}

function onFewCores(): string[] {
  return availableParallelism() > CORES ? ['taskset', '--cpu-list', `0-${CORES - 1}`] : [];
}

function run({ argv, env, cwd }: Command, stderr: number, signal: AbortSignal): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    env,
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'ignore', stderr],
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', end, { once: true });
  child.once('error', (error) =>
    reject(
      new Error(`${program} cannot be run: ${error.message}; testbed/testbed.sh installs what is measured with`, {
        cause: error,
      }),
    ),
  );
  child.once('exit', (code) => resolve(code ?? -1));
  return promise.finally(() => signal.removeEventListener('abort', end));
}

/** Nothing that whoever starts the bench has set has a say, and nothing of his is written to. */
function surroundings(home: string): Record<string, string> {
  const { PATH = '', LANG = 'C.UTF-8' } = process.env;
  return { PATH, LANG, HOME: home };
}
