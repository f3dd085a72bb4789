import type { ServerInfo } from './info.ts';

/** A server, by whatever way it is reached. */
export interface RedisServer {
  /** For messages: `Redis at db:6379`, never with user or password. */
  readonly name: string;
  /** @throws RespaldoError `source-missing`, `source-refused`, `source-lost`, `tool-missing`, `cancelled` */
  info(): Promise<ServerInfo>;
  /**
   * All that it holds, as an RDB of one moment that the server makes now. Leaving early gives the connection back.
   * Whether it is whole, {@link checkedRdb} tells.
   */
  rdb(): AsyncGenerator<Uint8Array>;
  /** Whether the mark of the transfer may follow the RDB. */
  readonly leavesMark: boolean;
}
