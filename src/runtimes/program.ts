import type { Readable } from 'node:stream';

import { gathered } from '../domain/gathered.ts';
import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { InputPipe } from './input.ts';
import { Input } from './input.ts';
import type { Command } from './runtime.ts';
import type { Tail } from './tail.ts';

/** How a program ended: by itself with a code, by a signal, or in a way that nobody can tell any more. */
export type Exit = { readonly code: number } | { readonly signal: string } | { readonly error: RespaldoError };

/** A program that runs somewhere, with whatever it has started. */
export interface Program {
  /** Fails, or ends, when nothing more can come. */
  readonly stdout: Readable;
  /** Nobody else looks at what `stdout` has handed out. */
  readonly ownsOutput?: true;
  readonly stdin: InputPipe | undefined;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** Complete when the program was ended. */
  readonly stderr: Pick<Tail, 'toString'>;
  /** Ends whatever still runs and waits until it is gone. May be called at any time, any number of times. Never throws. */
  end(): Promise<void>;
  /** Lets go of the streams, which somebody else may still hold. */
  release(): void;
}

/**
 * The contract of `Runtime.run`, for a program that anybody knows how to start. Standard output ends when everybody who
 * holds it has closed it, so a daemon that the program leaves behind must write elsewhere. Such a daemon survives a
 * program that succeeds, and no other.
 */
export async function* outputOf(
  start: () => Promise<Program>,
  command: Command,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  throwIfAborted(signal);
  const program = await start();
  const end = () => void program.end();
  const abort = () => {
    program.stdout.destroy();
    end();
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const input = new Input(command.stdin, program.stdin, end);
  void program.exited.then((exit) => {
    if (!isSuccess(exit)) end();
  });
  let succeeded = false;
  try {
    const whole = yield* piecesOf(program, signal);
    const exit = await program.exited;
    succeeded = whole && isSuccess(exit) && !input.failed && !signal.aborted;
    if (succeeded) return;
    // Everybody is gone before the reason is told, and standard error is complete.
    await program.end();
    throwIfAborted(signal);
    input.throwIfFailed();
    throw commandFailure(command, program.stderr.toString(), exit);
  } finally {
    signal.removeEventListener('abort', abort);
    input.stop();
    if (succeeded) program.release();
    else await program.end();
  }
}

/** @returns whether the stream came to its end; if not, the way the program ended tells why. */
async function* piecesOf({ stdout, ownsOutput }: Program, signal: AbortSignal): AsyncGenerator<Uint8Array, boolean> {
  const pieces = gathered(stdout, ownsOutput === true);
  try {
    for (;;) {
      const next = await pieces.next();
      if (signal.aborted) return false;
      if (next.done === true) return next.value;
      yield next.value;
    }
  } finally {
    await pieces.return(false);
  }
}

function isSuccess(exit: Exit): boolean {
  return 'code' in exit && exit.code === 0;
}

function commandFailure(command: Command, stderr: string, exit: Exit): RespaldoError {
  if ('error' in exit) return exit.error;
  const program = command.argv[0];
  const said = withoutSecrets(stderr, command.env);
  return new RespaldoError('command-failed', `${program} ${describeExit(exit)}${said === '' ? '' : `:\n${said}`}`, {
    ...(wasKilled(exit) && {
      hint: 'Somebody killed it, or stopped what it ran in; the kernel does so when memory runs out. Try again.',
    }),
    context: { program, ...exit },
  });
}

/** A shell, and a container's engine, tell of SIGKILL as of the exit code 137. */
function wasKilled(exit: Exit): boolean {
  return ('signal' in exit && exit.signal === 'SIGKILL') || ('code' in exit && exit.code === 137);
}

function describeExit(exit: Exclude<Exit, { error: unknown }>): string {
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
