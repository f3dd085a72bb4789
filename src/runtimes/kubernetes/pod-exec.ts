import type { WebSocket } from 'ws';

import { RespaldoError } from '../../errors.ts';
import type { Exec, OutputPiece } from '../container/exec.ts';
import type { InputPipe } from '../input.ts';
import type { Exit } from '../program.ts';
import { exitOf, onStdin, STATUS, STDERR, STDIN_CLOSED, STDOUT } from './channels.ts';
import { Inbox } from './inbox.ts';

/** What is spoken on the web socket, the best first. Only version 5 can close standard input. */
const V5 = 'v5.channel.k8s.io';
export const PROTOCOLS: readonly string[] = [V5, 'v4.channel.k8s.io'];

/** How often the other side is asked for a sign of life, and how many times it may miss. */
const PING_MS = 10_000;
const MAX_MISSED = 6;

/** How long the other side may take to agree that the connection is over. */
const CLOSE_MS = 1000;

/** A program in a pod, through a web socket. */
export class PodExec implements Exec {
  readonly closesStdin: boolean;
  readonly output: AsyncIterable<OutputPiece>;
  readonly stdin: InputPipe | undefined;
  readonly #socket: WebSocket;
  readonly #place: string;
  readonly #gone: () => Promise<RespaldoError | undefined>;
  readonly #inbox: Inbox;
  readonly #pings: NodeJS.Timeout;
  /** Since the last sign of life. */
  #pinged = 0;
  /** Who is waiting for a program to read may have no time to answer. */
  #inputOpen: boolean;
  #status: string | undefined;

  /**
   * @param socket paused.
   * @param place for messages.
   * @param gone tells why the pod is not there any more, if it is not.
   */
  constructor(socket: WebSocket, hasStdin: boolean, place: string, gone: () => Promise<RespaldoError | undefined>) {
    this.#socket = socket;
    this.#place = place;
    this.#gone = gone;
    this.closesStdin = socket.protocol === V5;
    this.#inputOpen = hasStdin;
    this.stdin = hasStdin ? this.#input() : undefined;
    this.#inbox = new Inbox(socket);
    socket.on('message', () => (this.#pinged = 0));
    socket.on('pong', () => (this.#pinged = 0));
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
    socket.once('close', () => clearInterval(this.#pings));
    this.output = this.#pieces();
  }

  async exit(): Promise<Exit> {
    if (this.#status !== undefined) return exitOf(this.#status, this.#place);
    const gone = await this.#gone().catch(() => undefined);
    if (gone !== undefined) return { error: gone };
    const how = `the connection to ${this.#place} ended (${this.#inbox.end}) before the cluster said how the program ended`;
    return { error: new RespaldoError('source-lost', how) };
  }

  /** The API does not tell of programs, only of pods. */
  async look(): Promise<undefined> {
    if (!this.#inputOpen && this.#pinged > MAX_MISSED && !this.#inbox.waiting) {
      throw new RespaldoError('source-lost', `${this.#place} gives no sign of life any more`);
    }
    // An API that is busy now may answer the next time.
    const gone = await this.#gone().catch(() => undefined);
    if (gone !== undefined) throw gone;
    return undefined;
  }

  close(): void {
    clearInterval(this.#pings);
    if (this.#status === undefined) {
      this.#socket.terminate();
      return;
    }
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
  }

  /** The status is the last that comes: whoever sends it has sent all output before. */
  async *#pieces(): AsyncGenerator<OutputPiece> {
    for await (const message of this.#inbox) {
      const bytes = message.subarray(1);
      if (message[0] === STATUS && bytes.length > 0) {
        this.#status = bytes.toString('utf8');
        return;
      }
      if (bytes.length === 0) continue;
      if (message[0] === STDOUT) yield { from: 'stdout', bytes };
      if (message[0] === STDERR) yield { from: 'stderr', bytes };
    }
  }

  #input(): InputPipe {
    return {
      write: (piece) => this.#send(onStdin(piece)),
      end: () => {
        this.#inputOpen = false;
        if (this.closesStdin) void this.#send(STDIN_CLOSED);
      },
    };
  }

  #send(message: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      this.#socket.send(message, (error) => resolve(!error));
    });
  }

  #ping(): void {
    this.#pinged++;
    // Where the connection is closing there is nobody to hear it.
    this.#socket.ping(undefined, undefined, () => undefined);
  }
}
