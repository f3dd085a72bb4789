import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../../errors.ts';
import { ClientInput } from '../../server/client-input.ts';
import { explainTool } from './tool-refusal.ts';
import { asJson, during, type Row, type SqlSession } from './sql-session.ts';
import type { TableReader } from './table-reader.ts';
import type { Toolbox } from './toolbox.ts';

const NEWLINE = 0x0a;
const ARGS = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=default'];

/**
 * One connection, held by a psql that is fed statement by statement: it works wherever programs can be run, in a
 * container too. The end of each answer is a line that nobody can guess, so that no data is ever taken for it; a
 * statement that fails ends psql, and whoever reads gets the error.
 */
export class PsqlSession implements SqlSession, TableReader {
  readonly #input = new ClientInput();
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #server: string;
  readonly #database: string;
  readonly #mark: Buffer;

  constructor(tools: Toolbox, database: string) {
    this.#server = tools.server;
    this.#database = database;
    this.#mark = Buffer.from(`${randomBytes(16).toString('hex')}\n`);
    this.#output = tools.run({ program: 'psql', args: ARGS, database, stdin: this.#input });
  }

  /** A session that lasts as long as the work, which has failed if the session has. */
  static with<T>(tools: Toolbox, database: string, work: (session: PsqlSession) => Promise<T>): Promise<T> {
    return during(new PsqlSession(tools, database), work);
  }

  async execute(sql: string): Promise<void> {
    for await (const _piece of this.#answer(`${sql};`)) continue;
  }

  async query(sql: string): Promise<readonly Row[]> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#answer(`${asJson(sql)};`)) pieces.push(piece);
    const lines = Buffer.concat(pieces).toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
  }

  async *copy(select: string): AsyncGenerator<Uint8Array, number> {
    let rows = 0;
    for await (const piece of this.#answer(`COPY (${select}) TO STDOUT;`)) {
      rows += linesIn(piece);
      yield piece;
    }
    return rows;
  }

  /** It does one thing after the other. */
  announce(): void {}

  /** What comes through a pipe is new each time. */
  recycle(): void {}

  async close(): Promise<void> {
    // A psql that is not asked anything does not notice that its server has gone.
    await this.execute('SELECT 1');
    this.#input.end();
    while ((await this.#output.next()).done !== true) continue;
  }

  async abandon(): Promise<void> {
    this.#input.end();
    await this.#output.return?.().catch(() => undefined);
  }

  async *#answer(statement: string): AsyncGenerator<Uint8Array> {
    const mark = this.#mark;
    this.#input.push(`${statement}\nSELECT '${mark.toString('latin1', 0, mark.length - 1)}';\n`);
    let held = Buffer.alloc(0);
    for (;;) {
      const next = await this.#output.next();
      if (next.done === true) throw this.#lost();
      const piece = next.value;
      const known = held.length + piece.length - mark.length;
      if (piece.length >= mark.length) {
        if (held.length > 0) yield held;
        if (piece.length > mark.length) yield piece.subarray(0, piece.length - mark.length);
        held = Buffer.from(piece.subarray(piece.length - mark.length));
      } else {
        const both = Buffer.concat([held, piece]);
        if (known > 0) yield both.subarray(0, known);
        held = both.subarray(Math.max(0, known));
      }
      if (held.equals(mark)) return;
    }
  }

  #lost(): unknown {
    return explainTool(
      new RespaldoError('source-lost', 'psql ended before it had answered', { hint: 'Try again.' }),
      this.#server,
      this.#database,
    );
  }
}

/** In the text format each row is one line: newlines within are escaped. */
function linesIn(piece: Uint8Array): number {
  let lines = 0;
  for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** Whatever role or database set: what takes long is allowed to, and may write. */
const UNLIMITED = 'SET statement_timeout = 0; SET default_transaction_read_only = off';

/** Statements in a session of their own. */
export async function execute(tools: Toolbox, database: string, sql: string): Promise<void> {
  await PsqlSession.with(tools, database, async (session) => {
    await session.execute(UNLIMITED);
    await session.execute(sql);
  });
}

/** Rows of one SELECT in a session of its own. */
export function ask(tools: Toolbox, database: string, sql: string): Promise<readonly Row[]> {
  return PsqlSession.with(tools, database, (session) => session.query(sql));
}
