import { fstatSync, read } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import type { ByteReader, Content } from '../../domain/entry.ts';
import { abortError, RespaldoError } from '../../errors.ts';

const STDIN = 0;
/** What a pipe holds at most, unless somebody has enlarged it. */
const PIPE_BYTES = 64 * 1024;
const PIECE_BYTES = 1024 * 1024;

/**
 * This process's standard input, read the fastest way there is for what it is. It can be read once.
 * @throws RespaldoError `source-lost` while it is read, if it fails
 */
export function standardInput(signal: AbortSignal): Content {
  if (isatty(STDIN)) return process.stdin as AsyncIterable<Uint8Array>;
  const stats = fstatSync(STDIN);
  return readable(stats.isFIFO() || stats.isSocket() ? new Pipe(STDIN, signal).read : readFromFile);
}

const readAsync = promisify(read);

async function readFromFile(space: Uint8Array): Promise<number> {
  try {
    const { bytesRead } = await readAsync(STDIN, space, 0, space.length, null);
    return bytesRead;
  } catch (error) {
    throw lost(error);
  }
}

/** A pipe is read as it fills, into one buffer, and never by a thread that waits in it: that could not be cancelled. */
class Pipe {
  readonly #socket: Socket;
  readonly #buffer = Buffer.allocUnsafeSlow(PIPE_BYTES);
  #start = 0;
  #end = 0;
  #ended = false;
  #failure: RespaldoError | undefined;
  #wake: () => void = () => undefined;

  constructor(fd: number, signal: AbortSignal) {
    this.#socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: this.#buffer,
        callback: (length) => {
          this.#start = 0;
          this.#end = length;
          this.#wake();
          // No more of it until this has been taken.
          return false;
        },
      },
    });
    this.#socket.once('end', () => {
      this.#ended = true;
      this.#wake();
    });
    // Only an end is an end: what was closed before may lack something.
    this.#socket.once('close', () => this.#fail(lost(new Error('it was closed'))));
    this.#socket.once('error', (error) => this.#fail(lost(error)));
    const stop = (): void => {
      this.#fail(abortError(signal));
      this.#socket.destroy();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  }

  readonly read = async (space: Uint8Array): Promise<number> => {
    while (this.#start === this.#end && !this.#ended && this.#failure === undefined) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#socket.resume();
      await woken;
    }
    if (this.#failure !== undefined) throw this.#failure;
    const length = Math.min(space.length, this.#end - this.#start);
    space.set(this.#buffer.subarray(this.#start, this.#start + length));
    this.#start += length;
    return length;
  };

  #fail(error: RespaldoError): void {
    if (!this.#ended) this.#failure ??= error;
    this.#wake();
  }
}

function readable(read: ByteReader['read']): ByteReader {
  return {
    read,
    async *[Symbol.asyncIterator]() {
      const space = Buffer.allocUnsafeSlow(PIECE_BYTES);
      for (let length = await read(space); length > 0; length = await read(space)) yield space.subarray(0, length);
    },
  };
}

function lost(error: unknown): RespaldoError {
  const reason = error instanceof Error ? error.message : String(error);
  return new RespaldoError('source-lost', `cannot read standard input: ${reason}`, { cause: error });
}
