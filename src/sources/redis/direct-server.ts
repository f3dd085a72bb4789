import { isError } from '../../errors.ts';
import { serverName, type RedisAddress } from './address.ts';
import { Connection } from './connection.ts';
import { parseInfo, type ServerInfo } from './info.ts';
import { refusal } from './refusal.ts';
import type { RedisServer } from './server.ts';

const PIECE_BYTES = 256 * 1024;
const MARK_BYTES = 40;

/** Reached over the network or a socket, by its own protocol. */
export class DirectServer implements RedisServer {
  readonly name: string;
  readonly leavesMark = false;
  readonly #address: RedisAddress;
  readonly #password: string | undefined;
  readonly #signal: AbortSignal;

  constructor(address: RedisAddress, password: string | undefined, signal: AbortSignal) {
    this.name = serverName(address);
    this.#address = address;
    this.#password = password;
    this.#signal = signal;
  }

  /** Over a connection of its own: the other one may be full of the RDB. */
  async info(): Promise<ServerInfo> {
    await using connection = await this.#connect();
    const text = await connection.ask('INFO');
    const info = parseInfo(text);
    if (info === undefined) throw refusal('its INFO tells no version', this.name);
    return info;
  }

  /**
   * As a replica that wants nothing but the first transfer. The server begins it with its length, or, where the RDB never
   * lies on its disk, with a mark that stands at its end.
   */
  async *rdb(): AsyncGenerator<Uint8Array> {
    await using connection = await this.#connect();
    await tellCapabilities(connection);
    connection.send('PSYNC', '?', '-1');
    const begun = await nextLine(connection);
    if (!begun.startsWith('+FULLRESYNC ')) throw refusal(begun.replace(/^-/, ''), this.name);
    const announced = await nextLine(connection);
    const [, mark, length] = /^\$(?:EOF:([\x21-\x7e]{40})|(\d+))$/.exec(announced) ?? [];
    if (mark !== undefined) yield* upToMark(connection, Buffer.from(mark));
    else if (length !== undefined) yield* ofLength(connection, Number(length));
    else throw refusal(announced.replace(/^-/, ''), this.name);
  }

  #connect(): Promise<Connection> {
    return Connection.open(this.#address, this.#password, this.#signal);
  }
}

/** Servers before 6.2 do not know that a replica may want the RDB alone: they gather what comes after it, in vain. */
async function tellCapabilities(connection: Connection): Promise<void> {
  try {
    await connection.ask('REPLCONF', 'rdb-only', '1');
  } catch (error) {
    if (!isError(error, 'source-refused') || !/ERR /.test(error.message)) throw error;
  }
  await connection.ask('REPLCONF', 'capa', 'eof');
}

/** A server that is saving sends empty lines, to say that it is there. */
async function nextLine(connection: Connection): Promise<string> {
  for (;;) {
    const line = await connection.line();
    if (line !== '') return line;
  }
}

async function* ofLength(connection: Connection, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0;) {
    const piece = await connection.upTo(Math.min(left, PIECE_BYTES));
    if (piece.length === 0) throw connection.lost(`${String(left)} of ${String(length)} bytes are missing`);
    left -= piece.length;
    yield piece;
  }
}

/** Whatever could be the mark is held back until more has come, or it is the mark. */
async function* upToMark(connection: Connection, mark: Buffer): AsyncGenerator<Uint8Array> {
  let held = Buffer.alloc(0);
  for (;;) {
    const piece = await connection.upTo(PIECE_BYTES);
    if (piece.length === 0) throw connection.lost('the mark of the end has not come');
    held = Buffer.concat([held, piece]);
    const isLast = held.subarray(-MARK_BYTES).equals(mark);
    const passed = held.subarray(0, Math.max(held.length - MARK_BYTES, 0));
    held = held.subarray(passed.length);
    yield passed;
    if (isLast) return;
  }
}
