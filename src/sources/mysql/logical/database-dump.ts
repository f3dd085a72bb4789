import { chooseCut } from '../../../domain/dump-size.ts';
import { RespaldoError } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import { fileName } from '../../server/file-name.ts';
import { tablesArguments } from './dump-arguments.ts';
import { dumpParts, type DumpContent, type Position } from './dump-text.ts';
import type { DatabaseFacts } from './facts.ts';
import { lockRefused, viewsBroken } from './findings.ts';
import { programsText } from './programs.ts';
import type { Survey } from './survey.ts';
import type { DumpedTable, TableSource } from './table-source.ts';
import { TableStream } from './table-stream.ts';
import { DirectTables } from './direct-tables.ts';
import { openOneState } from './one-state.ts';
import { readViews, viewStatements, type ViewDefinition } from './views.ts';

/** A part of a database's dump: statements that want the head of `script.ts` before them. */
export interface DumpFile {
  /** Below the database's folder: `tables/orders.sql`. */
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

type Surveyed = Survey['databases'][number];

/**
 * All databases of a survey, one after the other. Their rows are read by us over connections that see one state, or come from
 * a single run of the dump program in a single transaction: so they are one state of all of them. What has no rows, and no
 * transactions, is asked for beside it.
 */
export class Dump {
  readonly #survey: Survey;
  readonly #io: SourceIo;
  readonly #content: DumpContent;
  readonly #stream: TableSource;

  private constructor(survey: Survey, content: DumpContent, stream: TableSource, io: SourceIo) {
    this.#survey = survey;
    this.#content = content;
    this.#stream = stream;
    this.#io = io;
  }

  /** Whoever opens it reads its databases, to the end or not: that ends it. */
  static async open(survey: Survey, io: SourceIo): Promise<Dump> {
    const { tools, direct, server, databases } = survey;
    if (direct === undefined) return Dump.#ofProgram(survey, io);
    const state = await openOneState(direct, tools, server, survey.connections);
    if (state.isLockRefused) io.report(lockRefused);
    const content = { rows: new Map(), position: state.position };
    const names = databases.map(({ name }) => name);
    return new Dump(survey, content, new DirectTables(state.connections, names, content, tools.server, io), io);
  }

  static async #ofProgram(survey: Survey, io: SourceIo): Promise<Dump> {
    const { tools, server, databases, extra } = survey;
    const { version } = await tools.program('dump');
    const views = databases.flatMap(({ name: database, content }) =>
      content.views.map(({ name }) => ({ database, name })),
    );
    const args = tablesArguments(version, server, databases, views, extra);
    const content = { rows: new Map(), position: {} };
    const parts = dumpParts(tools.run({ role: 'dump', args }), content, `${tools.server}: the dump`);
    return new Dump(survey, content, new TableStream(parts), io);
  }

  /** Known when the last database has been read. */
  get position(): Position {
    return this.#content.position;
  }

  /** Each is to be read to its end before the next is asked for. Ends only when the dump program has ended well. */
  async *databases(): AsyncGenerator<DatabaseDump> {
    try {
      for (const database of this.#survey.databases) {
        const name = await this.#stream.database();
        if (name !== database.name) throw this.#disordered(database.name);
        yield new DatabaseDump(database, this.#survey, this.#stream, this.#content, this.#io);
      }
      if ((await this.#stream.database()) !== undefined) throw this.#disordered('no other');
    } finally {
      await this.#stream.close();
    }
  }

  #disordered(expected: string): RespaldoError {
    return new RespaldoError(
      'source-lost',
      `${this.#survey.tools.server}: the dump does not go on with "${expected}"`,
      {
        hint: 'A database may have been renamed or dropped meanwhile: try again.',
      },
    );
  }
}

/** One of them, as files. */
export class DatabaseDump {
  readonly database: Surveyed;
  readonly #survey: Survey;
  readonly #stream: TableSource;
  readonly #content: DumpContent;
  readonly #io: SourceIo;
  readonly #tables: (DumpedTable & { readonly file: string })[] = [];
  readonly #files: string[] = [];
  #views: readonly ViewDefinition[] = [];

  constructor(database: Surveyed, survey: Survey, stream: TableSource, content: DumpContent, io: SourceIo) {
    this.database = database;
    this.#survey = survey;
    this.#stream = stream;
    this.#content = content;
    this.#io = io;
  }

  /** In the order in which they are restored. */
  async *files(): AsyncGenerator<DumpFile> {
    for await (const file of this.#allFiles()) {
      this.#files.push(file.name);
      yield file;
    }
  }

  /** @param bytes of its files. */
  facts(folder: string, bytes: number, before: DatabaseFacts | undefined): DatabaseFacts {
    const { content, ...database } = this.database;
    const rows = this.#content.rows.get(database.name);
    return {
      ...database,
      folder,
      dumpBytes: bytes,
      cut: chooseCut(database.bytes, before),
      tables: this.#tables.map(({ kind, name, file }) => {
        const known = content.tables.find((table) => table.name === name);
        return {
          ...{
            name,
            kind,
            engine: known?.engine ?? '',
            rowEstimate: known?.rowEstimate ?? 0,
            bytes: known?.bytes ?? 0,
          },
          ...{ rows: rows?.get(name) ?? 0, consistent: known?.consistent ?? true, file },
        };
      }),
      views: content.views.map((view) => ({
        ...view,
        valid: this.#views.some(({ name, state }) => name === view.name && state !== 'broken'),
      })),
      routines: [...content.routines],
      triggers: [...content.triggers],
      events: [...content.events],
      collations: [...content.collations],
      namesItself: content.namesItself,
      files: [...this.#files],
    };
  }

  async *#allFiles(): AsyncGenerator<DumpFile> {
    const first = await this.#stream.table();
    const table = first?.kind === 'sequence' ? yield* this.#sequences(first) : first;
    yield* this.#tableFiles(table);
    this.#requireTables();
    yield* this.#programs('routines');
    yield* this.#viewsFile();
    yield* this.#programs('triggers');
    yield* this.#programs('events');
  }

  /** One or another may be dropped while the dump begins; where all are gone something else is wrong. */
  #requireTables(): void {
    const { name, content } = this.database;
    const mayLeaveOut = this.#survey.extra.length > 0;
    if (content.tables.length === 0 || this.#tables.length > 0 || mayLeaveOut) return;
    throw new RespaldoError(
      'source-lost',
      `${this.#survey.tools.server}: none of the ${String(content.tables.length)} tables of "${name}" is in the dump`,
      { hint: 'They may have been dropped meanwhile: try again.' },
    );
  }

  /** They come before the tables, which may take numbers of them. @returns the first table */
  async *#sequences(first: DumpedTable): AsyncGenerator<DumpFile, DumpedTable | undefined> {
    let table: DumpedTable | undefined = first;
    const name = 'sequences.sql';
    const content = async function* (this: DatabaseDump): AsyncGenerator<Uint8Array> {
      for (; table?.kind === 'sequence'; table = await this.#stream.table()) {
        this.#tables.push({ ...table, file: name });
        yield* this.#stream.bytes();
      }
    }.bind(this);
    yield { name, content: content() };
    return table;
  }

  async *#tableFiles(first: DumpedTable | undefined): AsyncGenerator<DumpFile> {
    for (let table = first; table !== undefined; table = await this.#stream.table()) {
      const file = `tables/${fileName(table.name)}.sql`;
      this.#tables.push({ ...table, file });
      yield { name: file, content: this.#stream.bytes() };
    }
  }

  async *#programs(kind: 'routines' | 'triggers' | 'events'): AsyncGenerator<DumpFile> {
    const { tools, server } = this.#survey;
    const { name, content } = this.database;
    const text = await programsText(tools, server, kind, name, content);
    if (text !== '') yield { name: `${kind}.sql`, content: [Buffer.from(text)] };
  }

  async *#viewsFile(): AsyncGenerator<DumpFile> {
    const { name, content } = this.database;
    this.#views = await readViews(this.#survey.tools, name, content.views);
    const sound = this.#views.filter(({ state }) => state !== 'broken').map((view) => view.name);
    const broken = content.views.map((view) => view.name).filter((view) => !sound.includes(view));
    if (broken.length > 0) this.#io.report(viewsBroken(name, broken));
    const text = viewStatements(this.#views);
    if (text !== '') yield { name: 'views.sql', content: [Buffer.from(text)] };
  }
}
