import { readFile } from 'node:fs/promises';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { ByteReader } from '../../domain/byte-reader.ts';
import { abortError, RespaldoError, throwIfAborted } from '../../errors.ts';
import { serverName, type RedisAddress } from './address.ts';
import { refusal } from './refusal.ts';

/** A server that says nothing for so long is gone; one that saves or sends says something every ten seconds. */
const PATIENCE_MS = 60_000;
const LONGEST_LINE = 64 * 1024;
const NEWLINE = 0x0a;

/** A connection that is logged in. It speaks Redis's protocol (RESP 2), of which answers of lists are left out. */
export class Connection implements AsyncDisposable {
  /** For messages. */
  readonly server: string;
  readonly #socket: Socket;
  readonly #reader: ByteReader;

  private constructor(socket: Socket, server: string) {
    this.server = server;
    this.#socket = socket;
    this.#reader = new ByteReader(piecesOf(socket));
  }

  /** @throws RespaldoError `source-missing`, `source-refused`, `cancelled`, `usage` for files that cannot be read */
  static async open(address: RedisAddress, password: string | undefined, signal: AbortSignal): Promise<Connection> {
    throwIfAborted(signal);
    const server = serverName(address);
    const socket = await dial(address, server, signal);
    const connection = new Connection(socket, server);
    const cancel = (): void => void socket.destroy(abortError(signal));
    signal.addEventListener('abort', cancel, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', cancel));
    try {
      const user = address.user === undefined ? [] : [address.user];
      if (password !== undefined) await connection.ask('AUTH', ...user, password);
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** @returns a word, a number or a text, as text. @throws RespaldoError what the server raises, `source-lost` */
  async ask(...words: readonly [string, ...string[]]): Promise<string> {
    this.send(...words);
    const line = await this.line();
    if (line.startsWith('-')) throw refusal(line.slice(1), this.server);
    if (!line.startsWith('$')) return line.slice(1);
    const length = Number(line.slice(1));
    const text = await this.#exactly(length + '\r\n'.length);
    return text.toString('utf8', 0, length);
  }

  send(...words: readonly string[]): void {
    const parts = words.map((word) => `$${String(Buffer.byteLength(word))}\r\n${word}\r\n`);
    this.#socket.write(`*${String(words.length)}\r\n${parts.join('')}`);
  }

  /** The next line, without its end. @throws RespaldoError `source-lost` */
  async line(): Promise<string> {
    const bytes: number[] = [];
    for (;;) {
      const [byte] = await this.#exactly(1);
      if (byte === undefined || bytes.length > LONGEST_LINE) throw this.lost('it does not speak Redis’s protocol');
      if (byte === NEWLINE) return Buffer.from(bytes).toString('utf8').replace(/\r$/, '');
      bytes.push(byte);
    }
  }

  /** Between 1 and `most` bytes; none: the server has closed the connection. */
  async upTo(most: number): Promise<Buffer> {
    return this.#guarded(() => this.#reader.upTo(most));
  }

  lost(why: string): RespaldoError {
    return new RespaldoError('source-lost', `${this.server}: the connection was lost: ${why}`, {
      hint: 'Run the backup again; the server’s log may tell why.',
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  async #exactly(length: number): Promise<Buffer> {
    const bytes = await this.#guarded(() => this.#reader.exactly(length));
    if (bytes === undefined) throw this.lost('the server has closed it');
    return bytes;
  }

  async #guarded<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof RespaldoError) throw error;
      throw this.lost(error instanceof Error ? error.message : String(error));
    }
  }
}

/** The socket's bytes as they are asked for. Silence counts only while somebody waits. */
async function* piecesOf(socket: Socket): AsyncGenerator<Uint8Array> {
  const pieces = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  for (;;) {
    const timer = setTimeout(() => socket.destroy(new Error('the server has gone silent')), PATIENCE_MS);
    const next = await pieces.next().finally(() => {
      clearTimeout(timer);
    });
    if (next.done === true) return;
    yield next.value;
  }
}

async function dial(address: RedisAddress, server: string, signal: AbortSignal): Promise<Socket> {
  const { host, port, socket: path, tls } = address;
  const where = path === undefined ? { host, port } : { path };
  const names = path === undefined && isIP(host) === 0 ? { servername: host } : {};
  const socket = tls ? connectSecurely({ ...where, ...names, ...(await credentials(address)) }) : connectPlain(where);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const fail = (error: Error): void => reject(error);
  const cancel = (): void => void socket.destroy(abortError(signal));
  const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), PATIENCE_MS);
  signal.addEventListener('abort', cancel, { once: true });
  socket.once('error', fail);
  socket.once(tls ? 'secureConnect' : 'connect', () => resolve(undefined));
  try {
    await promise;
    socket.setKeepAlive(true);
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    socket.destroy();
    throwIfAborted(signal);
    const said = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new RespaldoError('source-missing', `cannot connect to ${server}: ${said}`, {
      hint: tls
        ? 'Check host and port, and that the server speaks TLS there; name who vouches for it: rediss://host:port?cacert=ca.pem'
        : 'Check host and port, that the server runs, and that it listens there (`bind`, `port` of its redis.conf).',
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    socket.off('error', fail);
    // Who reads learns of it; until somebody does it must not end the program.
    socket.on('error', () => undefined);
  }
}

async function credentials({ caFile, certFile, keyFile }: RedisAddress) {
  const files = { ca: caFile, cert: certFile, key: keyFile };
  const read = Object.entries(files).flatMap(([name, file]) => (file === undefined ? [] : [{ name, file }]));
  const contents = read.map(async ({ name, file }) => {
    try {
      return [name, await readFile(file)] as const;
    } catch (error) {
      throw new RespaldoError(
        'usage',
        `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
        {
          hint: 'It is named by cacert, cert or key in the address.',
          cause: error,
        },
      );
    }
  });
  return Object.fromEntries(await Promise.all(contents));
}
