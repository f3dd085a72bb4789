import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

import { abortError, RespaldoError, toRespaldoError } from '../../errors.ts';
import type { InputPipe } from '../input.ts';
import type { Exit, Program } from '../program.ts';
import type { Command } from '../runtime.ts';
import { Announcements } from './announcements.ts';
import type { Container, Exec } from './exec.ts';
import { FramedInput } from './framed-input.ts';
import { missingPart, outputLost, requireNames, unlaunched } from './refusal.ts';
import type { Inhabitant, InputMode } from './scripts.ts';
import { ending, launching, looking, preamble } from './scripts.ts';

export interface Patience {
  /** Milliseconds between asking a program to end and killing it. */
  readonly grace: number;
  /** Milliseconds of silence after which to look whether the program still runs. */
  readonly pulse: number;
}

const STDOUT_BYTES = 256 * 1024;
/** As much is held of what overtakes the announcement: an engine hands on both outputs as it likes. */
const OVERTAKING_BYTES = 64 * 1024 * 1024;
/** How much of an engine's reasons is told. */
const SAID_BYTES = 1000;
/** How long to wait for what does not depend on us: somebody who left the group and holds an output. */
const STRANGER_MS = 1000;
/** How long an engine may take, beyond what it was asked to wait. */
const ENGINE_MS = 10_000;

/** A program in a container, and whatever it starts. */
export class ContainedProgram implements Program {
  readonly stdout = new PassThrough({ highWaterMark: STDOUT_BYTES });
  readonly stdin: InputPipe | undefined;
  readonly stderr: Announcements;
  readonly #container: Container;
  readonly #exec: Exec;
  readonly #user: Command['user'];
  readonly #patience: Patience;
  readonly #exited = Promise.withResolvers<Exit>();
  /** Nothing more comes from it. */
  readonly #silent: Promise<void>;
  #inhabitant: Inhabitant | undefined;
  /** Output is waited for; else it waits for who reads it. */
  #waiting = false;
  /** Something came since the last time that it was asked. */
  #heard = false;
  #looking = false;
  /** How often in a row it was not there, although its output stayed open. */
  #absences = 0;
  #ending: Promise<void> | undefined;

  private constructor(container: Container, exec: Exec, command: Command, mark: string, patience: Patience) {
    this.#container = container;
    this.#exec = exec;
    this.#user = command.user;
    this.#patience = patience;
    const framed = command.stdin && exec.stdin && !exec.closesStdin ? new FramedInput(exec.stdin) : undefined;
    this.stdin = command.stdin === undefined ? undefined : (framed ?? exec.stdin);
    this.stderr = new Announcements(mark, () => framed?.end());
    // Who does not read to the end is not told why there is no more: the exit says it.
    this.stdout.on('error', () => undefined);
    this.#silent = this.#pump();
  }

  /**
   * Returns when the program runs.
   * @throws RespaldoError `tool-missing`, `command-failed`, `usage`, `cancelled` and the container's.
   */
  static async start(
    container: Container,
    command: Command,
    patience: Patience,
    signal: AbortSignal,
  ): Promise<ContainedProgram> {
    const { argv, env = {}, stdin, cwd, user } = command;
    requireNames(env);
    const mark = `respaldo-${randomBytes(8).toString('hex')}`;
    const introduced = !container.passesEnvironment;
    const exec = await container.exec({
      argv: launching({ mark, argv, preamble: introduced, ...(cwd !== undefined && { folder: cwd }) }),
      stdin: introduced || stdin !== undefined,
      ...(container.passesEnvironment && { env }),
      ...(user && { user }),
    });
    const program = new ContainedProgram(container, exec, command, mark, patience);
    try {
      if (introduced) await introduce(exec, env, stdin !== undefined, container.provesOutput);
      await program.#started(command, signal);
      return program;
    } catch (error) {
      await program.end();
      throw error;
    }
  }

  get exited(): Promise<Exit> {
    return this.#exited.promise;
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  release(): void {
    this.stdout.destroy();
    this.#exec.close();
  }

  async #started(command: Command, signal: AbortSignal): Promise<void> {
    const { place } = this.#container;
    const patience = new AbortController();
    const first = await Promise.race([this.stderr.first, longAborted(signal, this.#patience.grace, patience.signal)]);
    patience.abort();
    if (first === undefined) throw unlaunched(command, await this.#firstWords(), await this.exited, place);
    if (first === 'cancelled') throw abortError(signal);
    if (first.what === 'missing') throw missingPart(first.part, command, place);
    this.#inhabitant = first;
  }

  /** What an engine says of a program that it cannot start comes on either output. */
  async #firstWords(): Promise<string> {
    await this.#silent;
    const said: unknown = this.stdout.read();
    return `${Buffer.isBuffer(said) ? said.toString('utf8', 0, SAID_BYTES) : ''}${this.stderr.toString()}`.trim();
  }

  /** Hands the outputs on for as long as there are any, at the pace of who reads them. */
  async #pump(): Promise<void> {
    const watch = setInterval(() => void this.#watch(), this.#patience.pulse);
    try {
      this.#waiting = true;
      for await (const { from, bytes } of this.#exec.output) {
        this.#heard = true;
        if (from === 'stderr') this.stderr.add(bytes);
        else if (!this.stdout.destroyed && !this.stdout.write(bytes) && this.#mayWait()) await this.#drained();
      }
      this.#exited.resolve(this.#judged(await this.#exit()));
      this.stdout.end();
    } catch (error) {
      this.#exited.resolve({ error: toRespaldoError(error) });
      this.stdout.destroy();
    } finally {
      clearInterval(watch);
      this.stderr.end();
    }
  }

  /** Where the launcher should have told of the end and has not, the engine may never know it. */
  async #exit(): Promise<Exit> {
    const { provesOutput, place } = this.#container;
    if (provesOutput || this.stderr.ended || this.#inhabitant === undefined) return this.#exec.exit();
    return (await this.#exec.look()) ?? { error: outputLost(place) };
  }

  /** Nobody reads before the announcement is there, which may be behind what has come already. */
  #mayWait(): boolean {
    return !this.stderr.isExpected || this.stdout.writableLength >= OVERTAKING_BYTES;
  }

  /** Until there is room again, or nobody wants more. */
  async #drained(): Promise<void> {
    this.#waiting = false;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.stdout.off('drain', done);
        this.stdout.off('close', done);
        resolve();
      };
      this.stdout.on('drain', done);
      this.stdout.on('close', done);
    });
    this.#waiting = true;
  }

  /** While nothing comes, and somebody waits for it, the program is looked at from time to time. */
  async #watch(): Promise<void> {
    const quiet = this.#waiting && !this.#heard;
    this.#heard = false;
    if (!quiet || this.#looking) return;
    this.#looking = true;
    try {
      await this.#look();
    } catch (error) {
      this.#exited.resolve({ error: toRespaldoError(error) });
      this.#exec.close();
    } finally {
      this.#looking = false;
    }
  }

  async #look(): Promise<void> {
    const exit = await this.#exec.look();
    if (exit !== undefined) this.#exited.resolve(exit);
    if (this.#container.tellsExit || this.#inhabitant === undefined || this.#ending !== undefined) return;
    const code = await this.#runScript(looking(this.#inhabitant), 0);
    this.#absences = code === 1 ? this.#absences + 1 : 0;
    // Once may be the moment between its end and the word of it.
    if (this.#absences === 2) void this.end();
  }

  /** Who was ended by us because somebody held the output of a program that was gone may not have said everything. */
  #judged(exit: Exit): Exit {
    if (!('code' in exit) || exit.code !== 0) return exit;
    if (!this.#container.provesOutput && !this.stderr.ended) return { error: outputLost(this.#container.place) };
    if (this.#absences < 2) return exit;
    return {
      error: new RespaldoError('command-failed', 'the program ended, but something that it started held its output', {
        hint: 'What runs on must write elsewhere: >/dev/null 2>&1',
      }),
    };
  }

  async #end(): Promise<void> {
    const { grace } = this.#patience;
    if (this.#inhabitant !== undefined) await this.#runScript(ending(this.#inhabitant, grace), grace);
    const patience = new AbortController();
    // The last words are still on their way; only somebody who left the group can keep the outputs open now.
    await Promise.race([
      this.#silent,
      wait(STRANGER_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    this.release();
    await this.#silent;
  }

  /** @returns its exit code; undefined where it could not run, as in a container that is gone. */
  async #runScript(argv: readonly string[], patience: number): Promise<number | undefined> {
    let exec: Exec | undefined;
    const over = AbortSignal.timeout(patience + ENGINE_MS);
    const giveUp = () => exec?.close();
    over.addEventListener('abort', giveUp);
    try {
      exec = await this.#container.exec({ argv, stdin: false, ...(this.#user && { user: this.#user }) });
      if (over.aborted) giveUp();
      for await (const _ of exec.output);
      const exit = await exec.exit();
      return 'code' in exit ? exit.code : undefined;
    } catch {
      return undefined;
    } finally {
      over.removeEventListener('abort', giveUp);
      exec?.close();
    }
  }
}

/** Tells the launcher, on standard input, what an engine cannot pass on. */
async function introduce(
  exec: Exec,
  env: Readonly<Record<string, string>>,
  hasInput: boolean,
  provesOutput: boolean,
): Promise<void> {
  const without: InputMode = provesOutput ? 'none' : 'watched';
  const mode: InputMode = hasInput ? (exec.closesStdin ? 'plain' : 'framed') : without;
  await exec.stdin?.write(preamble(env, mode));
  if (!hasInput && exec.closesStdin) exec.stdin?.end();
}

function longAborted(signal: AbortSignal, grace: number, patience: AbortSignal): Promise<'cancelled'> {
  return new Promise((resolve) => {
    const start = () => {
      wait(grace + STRANGER_MS, undefined, { signal: patience }).then(
        () => resolve('cancelled'),
        () => undefined,
      );
    };
    if (signal.aborted) start();
    else signal.addEventListener('abort', start, { once: true, signal: patience });
  });
}
