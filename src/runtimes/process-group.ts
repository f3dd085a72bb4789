import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

import { RespaldoError, errnoOf } from '../errors.ts';
import type { InputPipe } from './input.ts';
import { groupRuns, signalGroup } from './process-table.ts';
import type { Exit, Program } from './program.ts';
import type { Command } from './runtime.ts';
import { Tail } from './tail.ts';

const STDERR_BYTES = 8 * 1024;
const POLL_MS = 10;
/** How long to wait for what does not depend on us: somebody who changed user or left the group. */
const STRANGER_MS = 1000;
/** What a program gets of our own environment; everything else may be a secret of somebody else. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'LC_CTYPE', 'LC_MESSAGES', 'TZ', 'TMPDIR'];
/** The same, where the program runs as ourselves. */
const INHERITED_OWN = [...INHERITED, 'HOME', 'USER', 'LOGNAME'];

/** A program and whatever it starts, in a process group of their own, so that all of them can be ended together. */
export class ProcessGroup implements Program {
  readonly stdout: Readable;
  readonly ownsOutput = true;
  readonly stdin: InputPipe | undefined;
  readonly exited: Promise<Exit>;
  readonly stderr = new Tail(STDERR_BYTES);
  readonly #child: ChildProcess;
  readonly #id: number;
  readonly #grace: number;
  /** Standard error has ended. */
  readonly #silent: Promise<void>;
  /** Nobody was left in it when the program had ended: from then on its number may be somebody else's. */
  #deserted = false;
  #ending: Promise<void> | undefined;

  private constructor(child: ChildProcess & { stdout: Readable; stderr: Readable }, id: number, grace: number) {
    this.#child = child;
    this.#id = id;
    this.#grace = grace;
    this.stdout = child.stdout;
    this.stdin = child.stdin === null ? undefined : pipeInto(child.stdin);
    child.stderr.on('data', (piece: Buffer) => this.stderr.add(piece));
    // Errors of these show elsewhere: as a failed write of the input, as the exit code.
    child.stderr.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    child.on('error', () => undefined);
    this.#silent = new Promise((resolve) => child.stderr.once('close', resolve));
    running.add(id);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(id);
        this.#deserted = !signalGroup(id, 0);
        resolve(code === null ? { signal: signal ?? 'an unknown signal' } : { code });
      });
    });
  }

  /** @throws RespaldoError `tool-missing`, `command-failed` if the program cannot be started. */
  static async start(command: Command, grace: number): Promise<ProcessGroup> {
    const [program, ...args] = command.argv;
    try {
      const child = spawn(program, args, {
        cwd: command.cwd,
        env: environment(command),
        stdio: [command.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        detached: true,
        shell: false,
        ...command.user,
      });
      await once(child, 'spawn');
      const { stdout, stderr, pid } = child;
      if (stdout === null || stderr === null || pid === undefined) throw new Error('a program without output');
      return new ProcessGroup(Object.assign(child, { stdout, stderr }), pid, grace);
    } catch (error) {
      throw startFailure(command, error);
    }
  }

  /** Politely first. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const patience = new AbortController();
    const killed = this.#killAfterGrace(patience.signal);
    this.#send('SIGTERM');
    await this.exited;
    while (!this.#deserted && (await groupRuns(this.#id)) && !(await Promise.race([killed, wait(POLL_MS, false)])));
    // The last words are still on their way; only somebody who left the group can keep the pipe open now.
    await Promise.race([
      this.#silent,
      wait(STRANGER_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    this.release();
  }

  /** Kills what is left when the grace is over. @returns whether it came to that, a little later. */
  async #killAfterGrace(signal: AbortSignal): Promise<boolean> {
    try {
      await wait(this.#grace, undefined, { signal });
      this.#send('SIGKILL');
      await this.exited;
      await wait(STRANGER_MS, undefined, { signal });
      return true;
    } catch {
      return false;
    }
  }

  #send(signal: NodeJS.Signals): void {
    if (!this.#deserted) signalGroup(this.#id, signal);
  }

  release(): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}

/** Groups whose program runs: ended, as well as can be, if this process ends without having waited for them. */
const running = new Set<number>();
process.on('exit', () => {
  for (const id of running) signalGroup(id, 'SIGTERM');
});

function pipeInto(stdin: Writable): InputPipe {
  return {
    write: (piece) =>
      new Promise((resolve) => {
        stdin.write(piece, (error) => resolve(error === null || error === undefined));
      }),
    end: () => void stdin.end(),
  };
}

function environment(command: Command): NodeJS.ProcessEnv {
  const names = command.user === undefined ? INHERITED_OWN : INHERITED;
  const inherited = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const base = command.ownEnvironment === true ? process.env : Object.fromEntries(inherited);
  return { ...base, ...command.env };
}

function startFailure(command: Command, error: unknown): RespaldoError {
  const program = command.argv[0];
  const errno = errnoOf(error);
  if (errno === 'ENOENT') {
    const where = command.cwd === undefined ? '' : `, or no folder ${command.cwd} to run it in`;
    return new RespaldoError('tool-missing', `there is no program "${program}"${where}`, {
      hint: 'Install it, or put its folder into PATH.',
      cause: error,
    });
  }
  if (errno === 'EACCES') {
    return new RespaldoError('tool-missing', `"${program}" may not be run (EACCES)`, {
      hint: 'Check that the file and the folders above it are executable for the user who runs it.',
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new RespaldoError('command-failed', `"${program}" could not be started: ${reason}`, { cause: error });
}
