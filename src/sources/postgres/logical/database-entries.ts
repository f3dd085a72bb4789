import { availableParallelism } from 'node:os';
import { both } from '../../../domain/both.ts';
import { chooseCut } from '../../../domain/dump-size.ts';
import type { Cut, Entry, Metadata } from '../../../domain/entry.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import { fileName } from '../../server/file-name.ts';
import { ReadAhead } from './channel.ts';
import type { DumpContent } from './dump-text.ts';
import { dumpSection, restoreScript, tableFrame, type Section } from './dumps.ts';
import type { DatabaseFacts, RelationFacts } from './facts.ts';
import {
  inspectRelations,
  inspectRest,
  inspectTables,
  type ContentInventory,
  type DatabaseInventory,
  type RelationInventory,
} from './inventory.ts';
import { largeTables, readsByFile, tableReads } from './parts.ts';
import { openReaders } from './readers.ts';
import { holdSnapshot, lockTables, type HeldSnapshot } from './snapshot-session.ts';
import { TableCopies } from './table-copies.ts';
import type { TableReader } from './table-reader.ts';
import type { Toolbox } from './toolbox.ts';

const MIB = 1024 * 1024;
/** What a pg_dump that works ahead may gather. */
const AHEAD = 4 * MIB;
/** More sessions than this only wait for each other, unless somebody knows better. */
const MOST_JOBS = 4;

export interface DatabaseRequest {
  readonly database: DatabaseInventory;
  /** Of the server: 150008. */
  readonly version: number;
  readonly isGuarded: boolean;
  readonly jobs: number | undefined;
}

/** A file of a table's rows, or a folder that such files need; named from the database's folder on. */
type TablePart = { readonly name: string } | { readonly name: string; readonly content: AsyncIterable<Uint8Array> };

/** The rows of large tables, on their way. */
interface Copies {
  readonly readers: readonly TableReader[];
  readonly rows: TableCopies;
  /** Of each table its SELECTs. */
  readonly reads: readonly (readonly string[])[];
}

/** What reading a database is about, once its snapshot is held. */
interface Reading {
  readonly held: HeldSnapshot;
  readonly inventory: ContentInventory;
  readonly bytes: number;
  readonly large: readonly RelationInventory[];
  readonly sections: Record<Section, AsyncIterable<Uint8Array>>;
  readonly copies: Copies | undefined;
}

/** One database as entries, from one snapshot of it; what it was is known when the last one has been read. */
export class DatabaseEntries {
  readonly #tools: Toolbox;
  readonly #request: DatabaseRequest;
  readonly #content: DumpContent = { rows: new Map(), sequences: [], bytes: 0 };
  readonly #files = new Map<string, readonly string[]>();
  /** Names in the folder of tables. */
  readonly #taken = new Set<string>();
  /** From here on what was begun is ended in any case. */
  readonly #begun = new AsyncDisposableStack();
  #reading: Promise<Reading> | undefined;
  #facts: DatabaseFacts | undefined;

  constructor(tools: Toolbox, request: DatabaseRequest) {
    this.#tools = tools;
    this.#request = request;
  }

  get facts(): DatabaseFacts {
    if (this.#facts === undefined) throw new TypeError('the database has not been read to its end');
    return this.#facts;
  }

  /** Begins to read while nobody asks for entries yet. Whoever calls it has to dispose of this. */
  begin(): void {
    this.#reading ??= this.#begin();
    // Whoever asks for entries is told.
    this.#reading.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reading?.catch(() => undefined);
    await this.#begun.disposeAsync();
  }

  /** @param before the same database in the snapshot before */
  async *entries(onBytes: (bytes: number) => void, before?: DatabaseFacts): AsyncGenerator<Entry> {
    await using begun = new AsyncDisposableStack();
    begun.use(this);
    this.#reading ??= this.#begin();
    const { held, inventory, bytes, large, sections, copies } = await this.#reading;
    onBytes(bytes);
    const cut = chooseCut(bytes, before);

    const { database } = this.#request;
    const folder = `/dump/${fileName(database.name)}`;
    const metadata = dumpMetadata();
    const file = (name: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, how?: Cut): Entry => ({
      kind: 'file',
      path: `${folder}/${name}`,
      metadata,
      content,
      ...(how !== undefined && { cut: how }),
    });
    yield folderEntry(folder, metadata);
    yield file('schema.sql', sections['pre-data'], { average: cut });
    yield file('data.sql', sections.data, { average: cut });
    if (large.length > 0) yield folderEntry(`${folder}/tables`, metadata);
    for await (const part of this.#tables(held, large, cut, copies))
      yield 'content' in part
        ? file(part.name, part.content, { average: cut, at: 'lines' })
        : folderEntry(`${folder}/${part.name}`, metadata);
    yield file('constraints.sql', sections['post-data'], { average: cut });
    yield file('restore.sql', [
      restoreScript(database.name, ['schema.sql', 'data.sql', ...[...this.#files.values()].flat(), 'constraints.sql']),
    ]);
    // Proof that the one who held the snapshot was there all the time.
    await held.session.close();

    const { extensions, counts, largeObjects, relations, roles } = inventory;
    this.#facts = {
      ...described(database),
      folder,
      dumpBytes: this.#content.bytes,
      cut,
      extensions,
      relations: relations.map((relation) => this.#relationFacts(relation)),
      sequences: this.#content.sequences,
      counts,
      largeObjects,
      roles: [...roles],
    };
  }

  async #begin(): Promise<Reading> {
    const { database, version } = this.#request;
    const held = await holdSnapshot(this.#tools, database.name, version);
    this.#begun.defer(() => held.session.abandon());
    await lockTables(held.session, await inspectTables(held.session));
    // What is looked at from here on stays as it is. This is what comes first, and so it begins first.
    const preData = this.#section('pre-data', held, []);
    const relations = await inspectRelations(held.session);
    const bytes = relations.reduce((sum, relation) => sum + relation.bytes, 0);
    const large = largeTables(relations, held.encoding);
    // Connections first: the server makes them while the tools start, and answers the rest while it sends rows already.
    const copying = this.#copies(held, large);
    const sections = {
      'pre-data': preData,
      data: this.#section('data', held, large),
      'post-data': this.#section('post-data', held, large),
    };
    const [copies, rest] = await both(copying, inspectRest(held.session));
    return { held, inventory: { relations, ...rest }, bytes, large, sections, copies };
  }

  /** One of pg_dump's three parts: it begins at once, and waits for its turn. */
  #section(section: Section, held: HeldSnapshot, without: readonly RelationInventory[]): AsyncIterable<Uint8Array> {
    const { database, isGuarded } = this.#request;
    const request = { database: database.name, section, snapshot: held.id, encoding: held.encoding, without };
    const ahead = new ReadAhead(dumpSection(this.#tools, isGuarded, request, this.#content), AHEAD);
    this.#begun.defer(() => ahead.stop());
    return ahead.content;
  }

  /** Reads of large tables: they begin at once, too. */
  async #copies(held: HeldSnapshot, large: readonly RelationInventory[]): Promise<Copies | undefined> {
    if (large.length === 0) return undefined;
    const { database, version, jobs } = this.#request;
    const reads = large.map((table) => tableReads(table, version, held.pageBytes));
    const selects = reads.flat();
    const wanted = Math.min(jobs ?? Math.min(availableParallelism(), MOST_JOBS), selects.length);
    const readers: TableReader[] = [];
    this.#begun.defer(() => abandonAll(readers));
    await openReaders(readers, wanted, this.#tools, { database: database.name, version, held });
    const rows = new TableCopies(readers, selects);
    this.#begun.defer(() => rows.stop());
    return { readers, rows, reads };
  }

  async *#tables(
    held: HeldSnapshot,
    large: readonly RelationInventory[],
    cut: number,
    copies: Copies | undefined,
  ): AsyncGenerator<TablePart> {
    if (copies === undefined) return;
    const { readers, rows, reads } = copies;
    for (const [i, table] of large.entries()) {
      const files = readsByFile(reads[i] ?? [], cut);
      const names = this.#name(table, files.length);
      for (const [j, name] of names.entries()) {
        for (const folder of foldersOf(name, j)) yield { name: folder };
        yield { name, content: this.#rows(table, rows.take(files[j]?.length ?? 0), held.encoding) };
      }
    }
    for (const reader of readers) await reader.close();
  }

  /** A script that loads these rows. */
  async *#rows(
    table: RelationInventory,
    rows: AsyncGenerator<Uint8Array, number>,
    encoding: string,
  ): AsyncGenerator<Uint8Array> {
    const { head, tail } = tableFrame(table, encoding);
    yield head;
    let next = await rows.next();
    for (; next.done !== true; next = await rows.next()) {
      this.#content.bytes += next.value.length;
      yield next.value;
    }
    yield tail;
    this.#content.bytes += head.length + tail.length;
    this.#content.rows.set(table.sql, (this.#content.rows.get(table.sql) ?? 0) + next.value);
  }

  /**
   * `tables/public.users.sql`, or, for several files, a folder for each: `tables/public.orders/0001/rows.sql`, so that
   * each is listed in a tree of its own. Names that differ as SQL has them may be one as files: then a number makes the
   * difference.
   */
  #name({ schema, name, sql }: RelationInventory, files: number): readonly string[] {
    const plain = fileName(`${schema}.${name}`);
    const ending = files === 1 ? '.sql' : '';
    let top = `${plain}${ending}`;
    for (let n = 2; this.#taken.has(top); n++) top = `${plain}-${String(n)}${ending}`;
    this.#taken.add(top);
    const names =
      files === 1
        ? [`tables/${top}`]
        : Array.from({ length: files }, (_, i) => `tables/${top}/${String(i + 1).padStart(4, '0')}/rows.sql`);
    this.#files.set(sql, names);
    return names;
  }

  #relationFacts({ alone: _alone, columns: _columns, ...relation }: RelationInventory): RelationFacts {
    const rows = this.#content.rows.get(relation.sql);
    const files = this.#files.get(relation.sql);
    return { ...relation, ...(rows !== undefined && { rows }), ...(files !== undefined && { files: [...files] }) };
  }
}

function described({ connect: _connect, ...database }: DatabaseInventory): Omit<DatabaseInventory, 'connect'> {
  return database;
}

/** The folders that the file of that number is the first in. */
function foldersOf(name: string, number: number): string[] {
  const folders = name.split('/').slice(1, -1);
  const paths = folders.map((_, i) => `tables/${folders.slice(0, i + 1).join('/')}`);
  return number === 0 ? paths : paths.slice(-1);
}

function folderEntry(path: string, metadata: Metadata): Entry {
  return { kind: 'directory', path, metadata: { ...metadata, mode: 0o700 } };
}

async function abandonAll(readers: readonly TableReader[]): Promise<void> {
  for (const reader of readers) await reader.abandon();
}
