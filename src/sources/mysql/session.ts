import { ClientConversation } from './client-conversation.ts';
import type { Conversation } from './conversation.ts';
import { DirectConversation } from './direct-conversation.ts';
import type { Toolbox } from './toolbox.ts';

/**
 * Whatever the server's defaults are: names come in backquotes, values are escaped by backslashes. That text is UTF-8 is said
 * again: MariaDB does not know the collation by which newer programs of MySQL say so when they connect.
 */
const SETTINGS = [
  'SET NAMES utf8mb4',
  "SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION time_zone = '+00:00'",
];

/** A connection, set up as all that we ask and send expects it. */
export class Session {
  readonly #conversation: Conversation;

  private constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** Runs `work` in a session of its own, which is ended in any case. A statement that fails ends it, too. */
  static async with<T>(tools: Toolbox, work: (session: Session) => Promise<T>): Promise<T> {
    const { direct } = tools;
    const conversation =
      direct === undefined ? new ClientConversation(tools) : await DirectConversation.open(tools, direct);
    try {
      const session = new Session(conversation);
      for (const setting of SETTINGS) await session.execute(setting);
      const result = await work(session);
      await conversation.close();
      return result;
    } finally {
      await conversation.abandon();
    }
  }

  /** Statements whose output nobody needs. */
  async execute(sql: string): Promise<void> {
    await this.#conversation.rows(sql);
  }

  /**
   * Rows of one SELECT, in which any text is safe.
   * @param columns expressions by the names that they shall have in the rows.
   * @param rest what follows the columns: `FROM …`.
   */
  async query<Name extends string>(
    columns: Readonly<Record<Name, string>>,
    rest = '',
  ): Promise<readonly Readonly<Record<Name, string | null>>[]> {
    const names = Object.keys(columns) as Name[];
    const texts = names.map((name) => `CONVERT((${columns[name]}) USING utf8mb4)`);
    const rows = await this.#conversation.select(texts, rest);
    return rows.map((row) => {
      const pairs = names.map((name, i): [Name, string | null] => [name, row[i] ?? null]);
      return Object.fromEntries(pairs) as Record<Name, string | null>;
    });
  }

  /** Rows of a SHOW: a value NULL cannot be told from the word. */
  async show(sql: string): Promise<readonly (readonly string[])[]> {
    return (await this.showBytes(sql)).map((row) => row.map((value) => value.toString('utf8')));
  }

  /** The same as what was sent: there may be bytes in it that are no text. */
  async showBytes(sql: string): Promise<readonly (readonly Buffer[])[]> {
    return this.#conversation.rows(sql);
  }
}
