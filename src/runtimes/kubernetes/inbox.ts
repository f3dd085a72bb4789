import type { RawData, WebSocket } from 'ws';

/** How much may wait for its reader before the sender has to wait. Bytes. */
const MAX_WAITING = 1 << 20;

/** The messages of a web socket at the pace of who reads them; there is one reader. Ends when the connection does. */
export class Inbox {
  readonly #socket: WebSocket;
  readonly #messages: Buffer[] = [];
  #bytes = 0;
  #end: string | undefined;
  #wake: (() => void) | undefined;

  /** @param socket paused, so that no message has been missed. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (message) => this.#add(bytesOf(message)));
    socket.on('error', (error) => (this.#end = error.message));
    socket.on('close', (code, reason) => {
      this.#end ??= `${code}${reason.length > 0 ? ` ${reason.toString()}` : ''}`;
      this.#wake?.();
    });
    socket.resume();
  }

  /** How the connection ended, for messages. */
  get end(): string {
    return this.#end ?? 'given up';
  }

  get waiting(): boolean {
    return this.#messages.length > 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        this.#bytes -= message.length;
        if (this.#bytes <= MAX_WAITING / 2 && this.#socket.isPaused) this.#socket.resume();
        yield message;
      } else if (this.#socket.readyState === this.#socket.CLOSED) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #add(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += message.length;
    if (this.#bytes > MAX_WAITING) this.#socket.pause();
    this.#wake?.();
  }
}

function bytesOf(message: RawData): Buffer {
  if (Array.isArray(message)) return Buffer.concat(message);
  return Buffer.isBuffer(message) ? message : Buffer.from(message);
}
