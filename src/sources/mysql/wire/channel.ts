import { Socket, type NetConnectOpts } from 'node:net';
import { encrypted, type Encryption } from './encryption.ts';
import { PacketBuffer } from './packet-buffer.ts';

/** Where a server listens. */
export type Endpoint =
  { readonly path: string } | { readonly host: string; readonly port: number; readonly encryption?: Encryption };

/** Who is told of what comes. */
export interface Listener {
  readonly take: (bytes: Buffer, from: number, to: number, sequence: number) => void;
  /** See {@link PacketBuffer.filled}. */
  readonly takeMany: (bytes: Buffer, from: number, to: number) => number;
  /** Once or more often; the channel is of no use then. */
  readonly lost: (cause?: Error) => void;
}

/** Packets to and from a server, through a socket that may begin to be encrypted. */
export class Channel {
  readonly #listener: Listener;
  readonly #plain: Socket;
  /** What is spoken through. */
  #socket: Socket;
  #packets = new PacketBuffer();
  #flowing = true;

  constructor(endpoint: Endpoint, timeoutSeconds: number, listener: Listener) {
    this.#listener = listener;
    this.#plain = 'encryption' in endpoint ? new Socket() : this.#direct();
    this.#socket = this.#plain;
    if ('encryption' in endpoint) this.#read(this.#plain);
    this.#plain.setTimeout(timeoutSeconds * 1000, () => this.#plain.destroy());
    this.#listen(this.#plain);
    const options: NetConnectOpts =
      'path' in endpoint ? endpoint : { host: endpoint.host, port: endpoint.port, noDelay: true };
    this.#plain.connect(options);
  }

  /** From now on the server may take its time. */
  wait(): void {
    this.#plain.setTimeout(0);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Encrypts all that follows. What has come unencrypted and was not asked for goes. */
  async encrypt(encryption: Encryption): Promise<void> {
    this.#plain.removeAllListeners('data');
    this.#packets = new PacketBuffer();
    this.#socket = await encrypted(this.#plain, encryption);
    this.#listen(this.#socket);
    this.#read(this.#socket);
  }

  /** No more is wanted than what has come. */
  pause(): void {
    this.#flowing = false;
  }

  resume(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    this.#socket.resume();
  }

  /** After what was written. */
  end(): void {
    this.#socket.destroySoon();
  }

  abort(): void {
    this.#socket.destroy();
    this.#plain.destroy();
  }

  /** Reads into where packets are taken from: a buffer for each read would keep the collector busy. */
  #direct(): Socket {
    return new Socket({
      onread: {
        buffer: () => this.#packets.space(),
        callback: (length: number): boolean => {
          this.#filled(length);
          return this.#flowing;
        },
      },
    });
  }

  #read(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length;) {
        const length = bytes.copy(this.#packets.space(), 0, at);
        this.#filled(length);
        at += length;
      }
      if (!this.#flowing) socket.pause();
    });
  }

  #filled(length: number): void {
    const { take, takeMany } = this.#listener;
    this.#packets.filled(length, take, takeMany);
  }

  #listen(socket: Socket): void {
    socket.on('error', (error) => this.#listener.lost(error));
    socket.on('close', () => this.#listener.lost());
  }
}
