import type { Readable, Writable } from 'node:stream';

import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { Exit } from './process-group.ts';
import { ProcessGroup } from './process-group.ts';
import type { Command, Runtime } from './runtime.ts';

export interface HostOptions {
  /** Milliseconds between asking a program to end and killing it. */
  readonly grace?: number;
}

/** Runs programs on this machine. */
export class HostRuntime implements Runtime {
  readonly kind = 'host';
  readonly place = 'this host';
  readonly #grace: number;

  constructor(options: HostOptions = {}) {
    this.#grace = options.grace ?? 5000;
  }

  /**
   * Standard output ends when everybody who holds it has closed it, so a daemon that the program leaves behind must
   * write elsewhere. Such a daemon survives a program that succeeds, and no other.
   */
  async *run(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array> {
    throwIfAborted(signal);
    const group = await ProcessGroup.start(command, this.#grace);
    const end = () => void group.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const input = new Input(command.stdin, group.stdin, end);
    void group.exited.then((exit) => {
      if (!isSuccess(exit)) end();
    });
    let succeeded = false;
    try {
      const whole = yield* piecesOf(group.stdout, signal);
      const exit = await group.exited;
      succeeded = whole && isSuccess(exit) && !input.failed && !signal.aborted;
      if (succeeded) return;
      // Everybody is gone before the reason is told, and standard error is complete.
      await group.end();
      throwIfAborted(signal);
      input.throwIfFailed();
      throw commandFailure(command, group.stderr.toString(), exit);
    } finally {
      signal.removeEventListener('abort', end);
      input.stop();
      if (succeeded) group.release();
      else await group.end();
    }
  }
}

/** @returns whether the stream came to its end; if not, the way the program ended tells why. */
async function* piecesOf(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, boolean> {
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      if (signal.aborted) return false;
      yield piece;
    }
    return true;
  } catch {
    return false;
  }
}

/** Feeds a program's standard input, a piece at a time: the next one is asked for when the pipe has taken the last. */
class Input {
  readonly #pieces: AsyncIterator<Uint8Array> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopped = false;

  /**
   * @param onFailure told when the pieces themselves fail: the input is then *not* closed, so that the program cannot
   * take what it got for all.
   */
  constructor(pieces: AsyncIterable<Uint8Array> | undefined, pipe: Writable | undefined, onFailure: () => void) {
    this.#pieces = pieces?.[Symbol.asyncIterator]();
    if (pipe === undefined) return;
    this.#feed(pipe).catch((error: unknown) => {
      this.#failure = { error };
      onFailure();
    });
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Asks for no more pieces, and lets their source clean up. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#pieces?.return?.().catch(() => undefined);
  }

  async #feed(pipe: Writable): Promise<void> {
    for (;;) {
      const next = await this.#pieces?.next();
      if (this.#stopped) return;
      if (next === undefined || next.done === true) break;
      // A program that wants no more input may well succeed: its exit code decides.
      if (!(await taken(pipe, next.value))) {
        this.stop();
        return;
      }
    }
    this.#stopped = true;
    pipe.end();
  }
}

/** @returns false if nobody reads any more. */
function taken(pipe: Writable, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    pipe.write(piece, (error) => resolve(error === null || error === undefined));
  });
}

function isSuccess(exit: Exit): boolean {
  return 'code' in exit && exit.code === 0;
}

function commandFailure(command: Command, stderr: string, exit: Exit): RespaldoError {
  const program = command.argv[0];
  const said = withoutSecrets(stderr, command.env);
  return new RespaldoError('command-failed', `${program} ${describeExit(exit)}${said === '' ? '' : `:\n${said}`}`, {
    ...('signal' in exit &&
      exit.signal === 'SIGKILL' && { hint: 'Somebody killed it; the kernel does so when memory runs out.' }),
    context: { program, ...exit },
  });
}

function describeExit(exit: Exit): string {
  if ('signal' in exit) return `was killed by ${exit.signal}`;
  return exit.code === 0
    ? 'succeeded, but its output could not be read to the end'
    : `failed with exit code ${exit.code}`;
}

/** Some programs repeat a password that they did not like. */
function withoutSecrets(text: string, env: Readonly<Record<string, string>> = {}): string {
  return Object.entries(env)
    .filter(([name, value]) => value !== '' && /PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL/i.test(name))
    .reduce((clean, [, value]) => clean.replaceAll(value, '***'), text);
}
