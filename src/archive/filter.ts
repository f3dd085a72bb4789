import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { gathered } from '../domain/gathered.ts';
import { abortError, errnoOf, RespaldoError, throwIfAborted } from '../errors.ts';

const STDERR_BYTES = 8 * 1024;
/** What a program gets of our own environment; everything else may be a secret of somebody else. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'GNUPGHOME', 'GPG_TTY', 'XDG_RUNTIME_DIR'];

/** A program that reads standard input and writes standard output. */
export interface FilterProgram {
  /** A list, never a shell string. No secrets: everybody may see it. */
  readonly argv: readonly [string, ...string[]];
  /** What the program reads from file descriptor 3: the place for a secret. */
  readonly secret?: string;
  /** What to install where the program is missing. */
  readonly hint: string;
  /**
   * What the program's messages, those on file descriptor 4 first, mean. Called when it has ended.
   * @param said up to the end of it, in English
   * @returns what is wrong although the exit code is 0, or what is wrong in better words; undefined: nothing
   */
  readonly judge?: (said: {
    readonly status: string;
    readonly stderr: string;
    readonly code: number | null;
  }) => RespaldoError | undefined;
}

/**
 * Content as the program makes it. Ends normally only if the content ended by itself, the program took all of it and
 * exited with 0. Whoever leaves early ends the program.
 * @param onTaken told of each piece of the content that the program has been given
 * @throws RespaldoError `tool-missing`, `command-failed`, and what the content throws
 */
export async function* filtered(
  program: FilterProgram,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  onTaken: (piece: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(signal);
  const child = await started(program);
  const status = gather(child.status);
  const stderr = gather(child.stderr);
  const abort = (): void => {
    child.kill();
  };
  signal.addEventListener('abort', abort, { once: true });
  const feeding = new Feeding(content, child.stdin, abort, onTaken);
  let isDone = false;
  try {
    child.secret?.on('error', () => undefined).end(`${program.secret ?? ''}\n`);
    // A stream that breaks off is told by the program's exit, or by the abort that broke it.
    yield* gathered(child.stdout, true);
    const code = await child.exited;
    await Promise.all([status.ended, stderr.ended]);
    if (signal.aborted) throw abortError(signal);
    feeding.throwIfFailed();
    const complaint = program.judge?.({ status: status.text(), stderr: stderr.text(), code });
    if (complaint !== undefined) throw complaint;
    if (code !== 0) throw failure(program, code, stderr.text());
    if (!(await feeding.tookAll())) throw failure(program, code, 'it did not read its input to the end');
    isDone = true;
  } finally {
    signal.removeEventListener('abort', abort);
    if (!isDone) child.kill();
    await feeding.stop();
  }
}

/** The same for bytes that are all there. */
export async function filteredBytes(
  program: FilterProgram,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(filtered(program, only(bytes), signal)));
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

interface Started {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly status: Readable;
  readonly secret: Writable | undefined;
  /** The exit code; null: a signal ended it. */
  readonly exited: Promise<number | null>;
  kill(): void;
}

async function started({ argv: [name, ...args], secret, hint }: FilterProgram): Promise<Started> {
  const env = Object.fromEntries(
    INHERITED.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])),
  );
  const child = spawn(name, args, {
    stdio: ['pipe', 'pipe', 'pipe', secret === undefined ? 'ignore' : 'pipe', 'pipe'],
    // Messages are read: they have to be the ones that are known.
    env: { ...env, LC_ALL: 'C.UTF-8' },
    shell: false,
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new RespaldoError('tool-missing', `cannot run "${name}": ${errnoOf(error) ?? String(error)}`, {
      hint,
      cause: error,
    });
  }
  const [stdin, stdout, stderr, secretPipe, status] = child.stdio;
  child.on('error', () => undefined);
  stdin?.on('error', () => undefined);
  return {
    stdin: stdin as Writable,
    stdout: stdout as Readable,
    stderr: stderr as Readable,
    status: status as Readable,
    secret: (secretPipe ?? undefined) as Writable | undefined,
    exited,
    kill: () => {
      child.kill('SIGTERM');
      for (const pipe of child.stdio) pipe?.destroy();
    },
  };
}

/** Feeds standard input; when the content fails, the input is not closed, so that nobody takes a part for the whole. */
class Feeding {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #done: Promise<void>;
  readonly #onTaken: (piece: Uint8Array) => void;
  #failure: { readonly error: unknown } | undefined;
  #isStopped = false;
  #tookAll = false;

  constructor(
    content: AsyncIterable<Uint8Array>,
    stdin: Writable,
    onFailure: () => void,
    onTaken: (piece: Uint8Array) => void,
  ) {
    this.#onTaken = onTaken;
    this.#pieces = content[Symbol.asyncIterator]();
    this.#done = this.#feed(stdin).catch((error: unknown) => {
      this.#failure = { error };
      onFailure();
    });
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Whether the program was given everything. Asked when it has ended: what is left cannot be written any more. */
  async tookAll(): Promise<boolean> {
    await this.#done;
    return this.#tookAll;
  }

  /** Asks for nothing more, and lets whoever yields the content clean up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
    await this.#pieces.return?.();
  }

  async #feed(stdin: Writable): Promise<void> {
    for (;;) {
      const next = await this.#pieces.next();
      if (this.#isStopped) return;
      if (next.done === true) break;
      if (next.value.length > 0 && !(await written(stdin, next.value))) return;
      this.#onTaken(next.value);
    }
    this.#tookAll = true;
    stdin.end();
  }
}

/** @returns false if nobody reads any more: how the program ends tells why. */
function written(stdin: Writable, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    stdin.write(piece, (error) => resolve(error === null || error === undefined));
  });
}

/** The last words of a stream. */
function gather(stream: Readable): { readonly text: () => string; readonly ended: Promise<void> } {
  let bytes: Buffer = Buffer.alloc(0);
  stream.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]).subarray(-STDERR_BYTES);
  });
  stream.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => stream.once('close', resolve));
  return { text: () => bytes.toString('utf8').trim(), ended };
}

function failure({ argv: [name] }: FilterProgram, code: number | null, said: string): RespaldoError {
  if (code === null) return killed(name);
  const how = code === 0 ? 'failed' : `failed with exit code ${String(code)}`;
  return new RespaldoError('command-failed', `${name} ${how}${said === '' ? '' : `:\n${said}`}`);
}

/** What it says of a program that a signal ended: nothing of what it was given. */
export function killed(program: string): RespaldoError {
  return new RespaldoError('command-failed', `${program} was killed`, {
    hint: 'Somebody killed it; the kernel does so when memory runs out. Try again.',
    context: { program, killed: true },
  });
}

export function wasKilled({ context }: RespaldoError): boolean {
  return context['killed'] === true;
}
