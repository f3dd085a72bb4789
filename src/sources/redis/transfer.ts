import { RespaldoError } from '../../errors.ts';
import type { ServerInfo } from './info.ts';
import { checkedRdb, type RdbEnd, type RdbHeader } from './rdb.ts';
import type { RedisServer } from './server.ts';

/** What is known once an RDB has come as a whole. */
export interface Transferred {
  readonly info: ServerInfo;
  readonly header: RdbHeader;
  readonly end: RdbEnd;
  /** Whether the keys that `info` counts are those of the RDB. */
  readonly keysExact: boolean;
}

/** One RDB on its way. */
export class Transfer {
  readonly #server: RedisServer;
  #info: Promise<ServerInfo> | undefined;
  #header: RdbHeader | undefined;
  #end: RdbEnd | undefined;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  /** The RDB, which ends normally only if it is whole. To be read once. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const { name, leavesMark } = this.#server;
    const onHeader = (header: RdbHeader): void => {
      this.#header = header;
      // Asked as soon as the server has begun: if its stream of changes stands where the RDB does, its keys are the RDB's.
      this.#info = this.#server.info();
      this.#info.catch(() => undefined);
    };
    const onEnd = (end: RdbEnd): void => void (this.#end = end);
    yield* checkedRdb(this.#server.rdb(), name, { onHeader, onEnd }, leavesMark);
    await this.#info;
  }

  /** Once all bytes have been read. */
  async result(): Promise<Transferred> {
    const [info, header, end] = [await this.#info, this.#header, this.#end];
    if (info === undefined || header === undefined || end === undefined)
      throw new RespaldoError('internal', 'an RDB was judged before it was read');
    const offset = header.fields.get('repl-offset');
    return { info, header, end, keysExact: info.hasBacklog && offset === String(info.offset) };
  }
}
