import { throwIfAborted } from '../../errors.ts';
import type { Conversation } from './conversation.ts';
import { explainTool } from './tool-refusal.ts';
import type { Toolbox } from './toolbox.ts';
import type { Connector, WireConnection } from './wire/connection.ts';

type Rows = readonly (readonly (string | null)[])[];

/** A connection of this process's own, where there is a way to the server: no program has to be started for it. */
export class DirectConversation implements Conversation {
  readonly #connection: WireConnection;
  readonly #tools: Toolbox;

  private constructor(connection: WireConnection, tools: Toolbox) {
    this.#connection = connection;
    this.#tools = tools;
  }

  static async open(tools: Toolbox, connect: Connector): Promise<DirectConversation> {
    return new DirectConversation(await explained(tools, connect), tools);
  }

  select(expressions: readonly string[], rest: string): Promise<Rows> {
    const sql = `SELECT ${expressions.join(', ')} ${rest}`;
    return explained(this.#tools, () => this.#connection.query(sql));
  }

  async rows(sql: string): Promise<readonly (readonly Buffer[])[]> {
    const rows = await explained(this.#tools, () => this.#connection.values(sql));
    return rows.map((row) => row.map((value) => value ?? Buffer.from('NULL')));
  }

  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  abandon(): Promise<void> {
    this.#connection.destroy();
    return Promise.resolve();
  }
}

async function explained<T>(tools: Toolbox, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throwIfAborted(tools.signal);
    throw explainTool(error, tools.server);
  }
}
