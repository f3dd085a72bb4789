import { throwIfAborted } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import { identifier } from '../sql.ts';
import { explainTool } from '../tool-refusal.ts';
import type { WireConnection } from '../wire/connection.ts';
import type { DumpContent } from './dump-text.ts';
import { ReadAhead, type Text } from './read-ahead.ts';
import { RowWriter } from './row-writer.ts';
import { readDefinition, sequenceStatements } from './table-definition.ts';
import type { DumpedTable, TableSource } from './table-source.ts';

interface Job extends DumpedTable {
  readonly database: string;
  readonly text: Text;
}

/**
 * Tables that this process reads itself, over connections that see one state: each takes the next table that nobody reads,
 * while whoever asked is still busy with an earlier one. The text is what the dump program would write.
 */
export class DirectTables implements TableSource {
  readonly #connections: readonly WireConnection[];
  readonly #server: string;
  readonly #content: DumpContent;
  readonly #io: SourceIo;
  readonly #ahead = new ReadAhead();
  readonly #databases: readonly string[];
  /** In the order in which they are asked for. */
  readonly #jobs: Job[] = [];
  #nextDatabase = 0;
  #nextTable = 0;
  #nextUnread = 0;
  #current: Job | undefined;
  #hasBegun = false;
  #workers: readonly Promise<void>[] = [];

  /** @param connections in a transaction each; they end with this. */
  constructor(
    connections: readonly WireConnection[],
    databases: readonly string[],
    content: DumpContent,
    server: string,
    io: SourceIo,
  ) {
    this.#connections = connections;
    this.#databases = databases;
    this.#content = content;
    this.#server = server;
    this.#io = io;
  }

  async database(): Promise<string | undefined> {
    if (!this.#hasBegun) await this.#explained(() => this.#begin());
    this.#skip();
    // What nobody took of the one before. One that is empty has nothing, and what comes next is of those after it.
    const before = this.#databases[this.#nextDatabase - 1];
    while (before !== undefined && this.#jobs[this.#nextTable]?.database === before) this.#dropNext();
    return this.#databases[this.#nextDatabase++];
  }

  table(): Promise<DumpedTable | undefined> {
    this.#skip();
    const job = this.#jobs[this.#nextTable];
    if (job === undefined || job.database !== this.#databases[this.#nextDatabase - 1])
      return Promise.resolve(undefined);
    this.#nextTable += 1;
    this.#current = job;
    return Promise.resolve(job);
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    const job = this.#current;
    if (job === undefined) return;
    try {
      yield* job.text;
    } catch (error) {
      throwIfAborted(this.#io.signal);
      throw explainTool(error, this.#server);
    }
    this.#skip();
  }

  async close(): Promise<void> {
    this.#nextUnread = this.#jobs.length;
    const isRead = this.#current === undefined && this.#nextTable === this.#jobs.length;
    for (const connection of this.#connections)
      if (isRead) connection.close();
      else connection.destroy();
    for (const { text } of this.#jobs) this.#ahead.drop(text);
    await Promise.all(this.#workers);
  }

  async #begin(): Promise<void> {
    this.#hasBegun = true;
    const [connection] = this.#connections;
    if (connection === undefined) return;
    // Whatever is looked at is held, so that nobody could drop it, until the savepoint lets go of it.
    await connection.query('SAVEPOINT respaldo');
    for (const database of this.#databases) {
      const all = await connection.query(`SHOW FULL TABLES FROM ${identifier(database)}`);
      const of = (...types: readonly string[]): string[] =>
        all.filter(([, type]) => types.includes(type ?? '')).map(([name]) => name ?? '');
      // What takes numbers of a sequence is made after it.
      for (const name of of('SEQUENCE'))
        this.#jobs.push({ database, name, kind: 'sequence', text: this.#ahead.begin() });
      for (const name of of('BASE TABLE', 'SYSTEM VERSIONED'))
        this.#jobs.push({ database, name, kind: 'table', text: this.#ahead.begin() });
    }
    await connection.query('ROLLBACK TO SAVEPOINT respaldo');
    this.#workers = this.#connections.map((one) => this.#work(one));
  }

  /** One table after the other; never throws: whoever asks for a table gets the error. */
  async #work(connection: WireConnection): Promise<void> {
    for (let job = this.#jobs[this.#nextUnread++]; job !== undefined; job = this.#jobs[this.#nextUnread++]) {
      try {
        await this.#room(job.text);
        await this.#read(connection, job);
        job.text.end();
      } catch (error) {
        job.text.fail(error);
        // The dump has failed; nobody knows what the connection would say next.
        connection.destroy();
      }
    }
  }

  async #room(text: Text): Promise<void> {
    while (!this.#ahead.hasRoom(text)) await new Promise<void>((resolve) => this.#ahead.whenRoom(text, resolve));
  }

  async #read(connection: WireConnection, { database, name, kind, text }: Job): Promise<void> {
    if (kind === 'sequence') {
      text.push(Buffer.from(await sequenceStatements(connection, database, name)));
      return;
    }
    // From here on nobody changes its definition.
    await connection.query('SAVEPOINT respaldo');
    await connection.query(`SELECT 1 FROM ${identifier(database)}.${identifier(name)} LIMIT 0`);
    const { head, insert, select, tail } = await readDefinition(connection, database, name);
    text.push(Buffer.from(head));
    const goOn = (): void => {
      connection.resume();
    };
    const writer = new RowWriter(insert, (piece) => {
      text.push(piece);
      const hasRoom = this.#ahead.hasRoom(text);
      if (!hasRoom) this.#ahead.whenRoom(text, goOn);
      return hasRoom;
    });
    await connection.select(select, writer);
    writer.end();
    text.push(Buffer.from(tail));
    this.#count(database, name, writer.count);
    await connection.query('ROLLBACK TO SAVEPOINT respaldo');
  }

  #count(database: string, name: string, rows: number): void {
    const counts = this.#content.rows.get(database) ?? new Map<string, number>();
    this.#content.rows.set(database, counts);
    counts.set(name, rows);
  }

  /** Nobody wants what is left of the table that was asked for last. */
  #skip(): void {
    if (this.#current !== undefined) this.#ahead.drop(this.#current.text);
    this.#current = undefined;
  }

  #dropNext(): void {
    const job = this.#jobs[this.#nextTable++];
    if (job !== undefined) this.#ahead.drop(job.text);
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throwIfAborted(this.#io.signal);
      throw explainTool(error, this.#server);
    }
  }
}
