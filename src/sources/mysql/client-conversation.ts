import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../errors.ts';
import { ClientInput } from '../server/client-input.ts';
import type { Conversation } from './conversation.ts';
import type { Toolbox } from './toolbox.ts';

/** `--binary-mode`: nothing that we send can be a command to the client itself. */
const ARGS = [
  ...['--batch', '--skip-column-names', '--unbuffered', '--quick', '--binary-mode', '--skip-reconnect'],
  ...['--no-auto-rehash', '--default-character-set=utf8mb4'],
];

const NEWLINE = 0x0a;

/**
 * One connection, held by a client program that is fed statement by statement: it works wherever programs can be run, in
 * a container too. The end of each answer is a line that nobody can guess; a statement that fails ends the client, and
 * whoever reads gets the error.
 */
export class ClientConversation implements Conversation {
  readonly #input = new ClientInput();
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #tools: Toolbox;
  readonly #mark = randomBytes(16).toString('hex');

  constructor(tools: Toolbox) {
    this.#tools = tools;
    const timeout = `--connect-timeout=${String(tools.address.connectTimeoutSeconds)}`;
    this.#output = tools.run({ role: 'client', args: [...ARGS, timeout], stdin: this.#input });
  }

  /** Each value crosses the client as hexadecimal digits, so that any text is safe. */
  async select(expressions: readonly string[], rest: string): Promise<readonly (readonly (string | null)[])[]> {
    const lines = await this.#answer(`SELECT ${expressions.map((one) => `HEX(${one})`).join(', ')} ${rest}`);
    return lines.map((line) =>
      line.split('\t').map((field) => (field === 'NULL' ? null : Buffer.from(field, 'hex').toString('utf8'))),
    );
  }

  async rows(sql: string): Promise<readonly (readonly Buffer[])[]> {
    return (await this.#answer(sql)).map((line) => line.split('\t').map(unescaped));
  }

  async close(): Promise<void> {
    this.#input.end();
    while ((await this.#output.next()).done !== true) continue;
  }

  async abandon(): Promise<void> {
    this.#input.end();
    await this.#output.return?.().catch(() => undefined);
  }

  /** Lines, a letter for each byte. */
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
    return text.toString('latin1', 0, text.at(-1) === NEWLINE ? text.length - 1 : text.length).split('\n');
  }

  #lost(): RespaldoError {
    return new RespaldoError('source-lost', `${this.#tools.server}: the client ended before it had answered`, {
      hint: 'Try again.',
    });
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function unescaped(field: string): Buffer {
  const bytes = field.replaceAll(/\\([nt0\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
  return Buffer.from(bytes, 'latin1');
}
