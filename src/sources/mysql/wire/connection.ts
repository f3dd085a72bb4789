import { RespaldoError, throwIfAborted } from '../../../errors.ts';
import { PLUGINS, scramble, sealedPassword, type Plugin } from './authentication.ts';
import { Channel, type Endpoint } from './channel.ts';
import type { Encryption } from './encryption.ts';
import { encryptionRequest, helloMessage, readGreeting, type Greeting } from './handshake.ts';
import { isEnd, isError, readColumn, readError, readValues, type Column, type RowSink } from './reply.ts';

/** Opens connections of this process to the server that the tools are logged in to. */
export type Connector = () => Promise<WireConnection>;

type Taker = (bytes: Buffer, from: number, to: number, sequence: number) => void;

const COM_QUERY = 3;
const COM_QUIT = 1;
const OK = 0;
const SWITCH = 0xfe;
const MORE = 1;
const KEY_WANTED = 2;
const FAST = 3;
const FULL = 4;

/** A session of our own: no other program stands between the server and us. One question at a time. */
export class WireConnection {
  readonly #channel: Channel;
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.#channel.abort();
  #take: Taker | undefined;
  /** While rows come. */
  #takeRows: ((bytes: Buffer, from: number, to: number) => number) | undefined;
  /** Of the question that waits for its answer. */
  #reject: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  private constructor(signal: AbortSignal, endpoint: Endpoint, timeoutSeconds: number) {
    this.#signal = signal;
    this.#channel = new Channel(endpoint, timeoutSeconds, {
      take: (...packet) => this.#take?.(...packet),
      takeMany: (bytes, from, to) => this.#takeRows?.(bytes, from, to) ?? from,
      lost: (cause) => this.#fail(lost(cause)),
    });
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** @throws RespaldoError `command-failed`, as a client program would say it. */
  static async open(
    endpoint: Endpoint,
    { user, password }: { readonly user: string; readonly password: string },
    timeoutSeconds: number,
    signal: AbortSignal,
  ): Promise<WireConnection> {
    throwIfAborted(signal);
    const connection = new WireConnection(signal, endpoint, timeoutSeconds);
    try {
      await connection.#logIn(user, password, endpoint);
      connection.#channel.wait();
      return connection;
    } catch (error) {
      connection.destroy();
      throwIfAborted(signal);
      throw error;
    }
  }

  /** A statement, and the rows that it gives: few. */
  async query(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return (await this.values(sql)).map((row) => row.map((value) => value?.toString('utf8') ?? null));
  }

  /** The same as what was sent: there may be bytes in it that are no text. */
  async values(sql: string): Promise<readonly (readonly (Buffer | null)[])[]> {
    const rows: (Buffer | null)[][] = [];
    const row = (bytes: Buffer, from: number, to: number): boolean => rows.push(readValues(bytes, from, to)) > 0;
    await this.select(sql, { begin: () => undefined, row });
    return rows;
  }

  /** @throws RespaldoError `command-failed` with the server's number and words, `source-lost`. */
  select(sql: string, sink: RowSink): Promise<void> {
    const columns: Column[] = [];
    let isHeadRead = false;
    let isFirst = true;
    return this.#ask(this.#command(COM_QUERY, sql), (bytes, from, to) => {
      if (isError(bytes, from)) throw readError(bytes, from, to);
      if (isFirst) {
        isFirst = false;
        return bytes[from] === OK;
      }
      if (isEnd(bytes, from, to)) {
        if (isHeadRead) return true;
        isHeadRead = true;
        sink.begin(columns);
        this.#takeRows = (...stretch) => this.#rows(sink, ...stretch);
      } else if (!isHeadRead) columns.push(readColumn(bytes, from));
      else if (!sink.row(bytes, from, to)) this.#channel.pause();
      return false;
    });
  }

  /** Goes on after a sink wanted no more. */
  resume(): void {
    this.#channel.resume();
  }

  /** Says goodbye. */
  close(): void {
    this.#channel.write(this.#command(COM_QUIT, ''));
    this.destroy();
  }

  /** Ends it wherever it is. */
  destroy(): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#channel.end();
  }

  async #logIn(user: string, password: string, endpoint: Endpoint): Promise<void> {
    const greeting = await this.#greeting();
    const wanted = 'encryption' in endpoint ? endpoint.encryption : undefined;
    if (wanted !== undefined) await this.#encrypt(wanted, greeting);
    const isEncrypted = wanted !== undefined;
    const isPrivate = 'path' in endpoint || isEncrypted;
    let nonce = Buffer.from(greeting.nonce);
    const known = knownPlugin(greeting.plugin) ?? 'mysql_native_password';
    const hello = helloMessage(user, scramble(known, password, nonce), known, isEncrypted);
    await this.#converse(packet(hello, isEncrypted ? 2 : 1), (payload, sequence, say) => {
      switch (payload[0]) {
        case OK:
          return true;
        case SWITCH: {
          const end = payload.indexOf(0, 1);
          const plugin = knownPlugin(payload.toString('latin1', 1, end));
          if (plugin === undefined) throw unspeakable(`the server asks for ${payload.toString('latin1', 1, end)}`);
          nonce = Buffer.from(payload.subarray(end + 1));
          say(scramble(plugin, password, nonce), sequence + 1);
          return false;
        }
        case MORE:
          if (payload[1] === FAST) return false;
          if (payload[1] === FULL)
            say(isPrivate ? Buffer.from(`${password}\0`) : Buffer.from([KEY_WANTED]), sequence + 1);
          else say(sealedPassword(password, nonce, payload.subarray(1)), sequence + 1);
          return false;
        default:
          throw unspeakable('the server says something else');
      }
    });
  }

  async #greeting(): Promise<Greeting> {
    let greeting: Greeting | undefined;
    await this.#converse(undefined, (payload) => {
      greeting = readGreeting(payload);
      return true;
    });
    if (greeting === undefined) throw unspeakable('the server says something else');
    return greeting;
  }

  async #encrypt(wanted: Encryption, { offersEncryption }: Greeting): Promise<void> {
    if (!offersEncryption) throw unencrypted('the server does not support it');
    this.#channel.write(packet(encryptionRequest(), 1));
    try {
      await this.#channel.encrypt(wanted);
    } catch (error) {
      throw unencrypted(asError(error).message);
    }
  }

  /** Packet by packet, until `answer` says that it was the last. */
  #converse(
    first: Buffer | undefined,
    answer: (payload: Buffer, sequence: number, say: (payload: Buffer, sequence: number) => void) => boolean,
  ): Promise<void> {
    const say = (payload: Buffer, sequence: number): void => this.#channel.write(packet(payload, sequence));
    return this.#ask(first, (bytes, from, to, sequence) => {
      if (isError(bytes, from)) throw readError(bytes, from, to);
      return answer(bytes.subarray(from, to), sequence, say);
    });
  }

  #ask(
    question: Buffer | undefined,
    isLast: (bytes: Buffer, from: number, to: number, sequence: number) => boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const end = (settle: () => void): void => {
        this.#take = undefined;
        this.#takeRows = undefined;
        this.#reject = undefined;
        settle();
      };
      this.#reject = (error) => end(() => reject(error));
      this.#take = (bytes, from, to, sequence) => {
        try {
          if (isLast(bytes, from, to, sequence)) end(resolve);
        } catch (error) {
          end(() => reject(asError(error)));
        }
      };
      if (question !== undefined) this.#channel.write(question);
    });
  }

  #command(command: number, text: string): Buffer {
    return packet(Buffer.concat([Buffer.from([command]), Buffer.from(text)]), 0);
  }

  #rows(sink: RowSink, bytes: Buffer, from: number, to: number): number {
    const taken = sink.rows?.(bytes, from, to);
    if (taken === undefined) return from;
    if (!taken.goOn) this.#channel.pause();
    return taken.next;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#reject?.(this.#failure);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function packet(payload: Buffer, sequence: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, payload]);
}

function knownPlugin(name: string): Plugin | undefined {
  return PLUGINS.find((plugin) => plugin === name);
}

function lost(cause?: Error): RespaldoError {
  const why = cause === undefined ? '' : ` (${cause.message})`;
  return new RespaldoError('command-failed', `ERROR 2013 (HY000): the connection to the server was lost${why}`, {
    cause,
  });
}

function unencrypted(why: string): RespaldoError {
  return new RespaldoError('command-failed', `ERROR 2026 (HY000): the connection could not be encrypted: ${why}`);
}

function unspeakable(what: string): RespaldoError {
  return new RespaldoError('command-failed', `ERROR 2059 (HY000): ${what}, which only its own programs can do`);
}
