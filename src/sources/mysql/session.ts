import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../errors.ts';
import { ClientInput } from '../server/client-input.ts';
import type { Toolbox } from './toolbox.ts';

/** `--binary-mode`: nothing that we send can be a command to the client itself. */
const ARGS = [
  ...['--batch', '--skip-column-names', '--unbuffered', '--quick', '--binary-mode', '--skip-reconnect'],
  ...['--no-auto-rehash', '--default-character-set=utf8mb4'],
];
/**
 * Whatever the server's defaults are: names come in backquotes, values are escaped by backslashes. That text is UTF-8 is said
 * again: MariaDB does not know the collation by which newer programs of MySQL say so when they connect.
 */
const SETTINGS =
  "SET NAMES utf8mb4; SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION time_zone = '+00:00'";

const NEWLINE = 0x0a;

/**
 * One connection, held by a client program that is fed statement by statement: it works wherever programs can be run, in
 * a container too. The end of each answer is a line that nobody can guess; a statement that fails ends the client, and
 * whoever reads gets the error.
 */
export class Session {
  readonly #input = new ClientInput();
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #tools: Toolbox;
  readonly #mark = randomBytes(16).toString('hex');

  private constructor(tools: Toolbox) {
    this.#tools = tools;
    const timeout = `--connect-timeout=${String(tools.address.connectTimeoutSeconds)}`;
    this.#output = tools.run({ role: 'client', args: [...ARGS, timeout], stdin: this.#input });
  }

  /** Runs `work` in a session of its own, which is ended in any case. */
  static async with<T>(tools: Toolbox, work: (session: Session) => Promise<T>): Promise<T> {
    const session = new Session(tools);
    try {
      await session.execute(SETTINGS);
      const result = await work(session);
      await session.#close();
      return result;
    } finally {
      await session.#abandon();
    }
  }

  /** Statements whose output nobody needs. */
  async execute(sql: string): Promise<void> {
    await this.#answer(sql);
  }

  /**
   * Rows of one SELECT, in which any text is safe: each value crosses the client as hexadecimal digits.
   * @param columns expressions by the names that they shall have in the rows.
   * @param rest what follows the columns: `FROM …`.
   */
  async query<Name extends string>(
    columns: Readonly<Record<Name, string>>,
    rest = '',
  ): Promise<readonly Readonly<Record<Name, string | null>>[]> {
    const names = Object.keys(columns) as Name[];
    const values = names.map((name) => `HEX(CONVERT((${columns[name]}) USING utf8mb4))`);
    const lines = await this.#answer(`SELECT ${values.join(', ')} ${rest}`);
    return lines.map((line) => {
      const fields = line.split('\t');
      const pairs = names.map((name, i): [Name, string | null] => {
        const field = fields[i] ?? 'NULL';
        return [name, field === 'NULL' ? null : Buffer.from(field, 'hex').toString('utf8')];
      });
      return Object.fromEntries(pairs) as Record<Name, string | null>;
    });
  }

  /** Rows of a SHOW, as the client writes them: a value NULL cannot be told from the word. */
  async show(sql: string): Promise<readonly (readonly string[])[]> {
    return (await this.#answer(sql)).map((line) => line.split('\t').map(unescaped));
  }

  async #answer(statement: string): Promise<readonly string[]> {
    this.#input.push(`${statement};\nSELECT '${this.#mark}';\n`);
    const end = Buffer.from(`${this.#mark}\n`);
    const pieces: Buffer[] = [];
    let tail = Buffer.alloc(0);
    for (;;) {
      if (tail.length >= end.length && tail.subarray(-end.length).equals(end)) break;
      const next = await this.#output.next();
      if (next.done === true) throw this.#lost();
      const piece = Buffer.from(next.value);
      pieces.push(piece);
      tail = Buffer.concat([tail.subarray(-end.length), piece]);
    }
    const all = Buffer.concat(pieces);
    const text = all.subarray(0, all.length - end.length);
    if (text.length === 0) return [];
    return text.toString('utf8', 0, text.at(-1) === NEWLINE ? text.length - 1 : text.length).split('\n');
  }

  async #close(): Promise<void> {
    this.#input.end();
    while ((await this.#output.next()).done !== true) continue;
  }

  async #abandon(): Promise<void> {
    this.#input.end();
    await this.#output.return?.().catch(() => undefined);
  }

  #lost(): RespaldoError {
    return new RespaldoError('source-lost', `${this.#tools.server}: the client ended before it had answered`, {
      hint: 'Try again.',
    });
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function unescaped(field: string): string {
  return field.replaceAll(/\\([nt0\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
