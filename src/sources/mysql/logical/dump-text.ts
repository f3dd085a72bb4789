import { RespaldoError } from '../../../errors.ts';
import { RowCounter } from './row-counter.ts';
import { closingQuote, statementEnd, unquotedName } from './statement.ts';

const NEWLINE = 0x0a;
const DASH = 0x2d;
const END_OF_ROWS = Buffer.from(';\n');
/** A CREATE TABLE with thousands of partitions is far below it. */
const LONGEST_STATEMENT = 256 * 1024 * 1024;

/** A dump, taken apart: the bytes that follow a database or table belong to it. */
export type DumpPart =
  | { readonly kind: 'database'; readonly name: string }
  | { readonly kind: 'table' | 'sequence'; readonly name: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** Where the server's binary log was, as the dump says it. */
export interface Position {
  file?: string;
  offset?: number;
  gtid?: string;
}

/** What a dump says of itself, learned while it passes. */
export interface DumpContent {
  /** By database, then table. */
  readonly rows: Map<string, Map<string, number>>;
  readonly position: Position;
}

/**
 * Takes apart what `mysqldump --databases` writes: SQL without routines, triggers and events. Comments, and what opens
 * and closes the whole, go: each part is the same for the same database, whatever was dumped with it.
 * @throws RespaldoError `source-lost` at its end if the end marker is missing.
 */
export async function* dumpParts(
  dump: AsyncIterable<Uint8Array>,
  content: DumpContent,
  what: string,
): AsyncGenerator<DumpPart> {
  const lines = new DumpReader(content);
  for await (const piece of dump) yield* lines.take(piece);
  yield* lines.take(Buffer.from('\n'));
  if (!lines.isComplete)
    throw new RespaldoError('source-lost', `${what} was cut short: its end marker is missing`, {
      hint: 'Nothing was stored as a snapshot. See the server’s log, then try again.',
    });
}

class DumpReader {
  readonly #content: DumpContent;
  #isComplete = false;
  /** The beginning of a statement. */
  #held: Buffer = Buffer.alloc(0);
  #database: string | undefined;
  #table: string | undefined;
  /** Within an INSERT, after its VALUES. */
  #rows: RowCounter | undefined;

  constructor(content: DumpContent) {
    this.#content = content;
  }

  get isComplete(): boolean {
    return this.#isComplete && this.#rows === undefined && this.#held.length === 0;
  }

  *take(piece: Uint8Array): Generator<DumpPart> {
    const bytes =
      this.#held.length === 0
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.length)
        : Buffer.concat([this.#held, piece]);
    this.#held = Buffer.alloc(0);
    let at = 0;
    while (at < bytes.length) {
      if (this.#rows !== undefined) {
        const end = this.#endOfRows(bytes, at, this.#rows);
        yield { kind: 'bytes', bytes: bytes.subarray(at, end) };
        at = end;
        continue;
      }
      if (bytes[at] === NEWLINE) {
        at += 1;
        continue;
      }
      const next = yield* this.#statement(bytes, at);
      if (next < 0) break;
      at = next;
    }
    this.#held = Buffer.from(bytes.subarray(at));
    if (this.#held.length > LONGEST_STATEMENT)
      throw new RespaldoError('source-damaged', 'the dump holds a statement that does not end', {
        hint: 'Please report this.',
      });
  }

  /** @returns where the statement at `at` ends, or -1 if that cannot be seen yet. */
  *#statement(bytes: Buffer, at: number): Generator<DumpPart, number> {
    if (isInsert(bytes, at)) return yield* this.#insert(bytes, at);
    const isComment = bytes[at] === DASH && bytes[at + 1] === DASH;
    if (!isComment && at + 1 === bytes.length && bytes[at] === DASH) return -1;
    const end = isComment ? bytes.indexOf(NEWLINE, at) + 1 : statementEnd(bytes, at);
    if (end <= 0) return -1;
    const statement = bytes.subarray(at, end);
    if (isComment) this.#learn(statement.toString('utf8'));
    else yield* this.#judge(statement);
    return end;
  }

  /** An INSERT up to its first row. */
  *#insert(bytes: Buffer, at: number): Generator<DumpPart, number> {
    const name = bytes.indexOf('`', at);
    const close = name < 0 ? -1 : closingQuote(bytes, name);
    if (close < 0) return -1;
    const values = afterValues(bytes, close + 1);
    if (values < 0 || values >= bytes.length) return -1;
    this.#rows = new RowCounter(bytes[values] === NEWLINE);
    this.#table = unquotedName(bytes.subarray(name, close + 1));
    yield { kind: 'bytes', bytes: bytes.subarray(at, values) };
    return values;
  }

  #endOfRows(bytes: Buffer, from: number, rows: RowCounter): number {
    const wasCut = from === 0 && rows.endsInSemicolon && bytes[0] === NEWLINE;
    const found = wasCut ? -1 : bytes.indexOf(END_OF_ROWS, from);
    const isEnd = wasCut || found >= 0;
    const end = wasCut ? 1 : found < 0 ? bytes.length : found + END_OF_ROWS.length;
    rows.take(bytes, from, end);
    if (isEnd) {
      const counts = this.#content.rows.get(this.#database ?? '') ?? new Map<string, number>();
      this.#content.rows.set(this.#database ?? '', counts);
      counts.set(this.#table ?? '', (counts.get(this.#table ?? '') ?? 0) + rows.count);
      this.#rows = undefined;
    }
    return end;
  }

  *#judge(statement: Buffer): Generator<DumpPart> {
    const head = statement.toString('utf8', 0, Math.min(statement.length, 64));
    if (head.startsWith('/* ')) this.#learn(statement.toString('utf8'));
    if (isDropped(head)) return;
    if (head.startsWith('USE `')) {
      this.#database = unquotedName(quotedIn(statement));
      yield { kind: 'database', name: this.#database };
      return;
    }
    const [, kind] = /^DROP (TABLE|SEQUENCE) IF EXISTS `/.exec(head) ?? [];
    if (kind !== undefined)
      yield { kind: kind === 'TABLE' ? 'table' : 'sequence', name: unquotedName(quotedIn(statement)) };
    if (this.#database !== undefined) yield { kind: 'bytes', bytes: statement };
  }

  /** What comments tell. */
  #learn(comment: string): void {
    if (/^-- Dump completed/.test(comment)) this.#isComplete = true;
    const { position } = this.#content;
    const place = /(?:MASTER|SOURCE)_LOG_FILE='([^']*)', (?:MASTER|SOURCE)_LOG_POS=(\d+)/.exec(comment);
    if (place !== null) {
      position.file = place[1] ?? '';
      position.offset = Number(place[2]);
    }
    const [, gtid] = /(?:gtid_slave_pos|GTID_PURGED)\s*=\s*(?:\/\*!80000 '\+'\*\/ )?'([^']*)'/i.exec(comment) ?? [];
    if (gtid !== undefined) position.gtid = gtid.replaceAll(/[\s+]/g, '');
  }
}

/** What opens and closes a dump, makes its databases, or is for the client that reads it. */
function isDropped(head: string): boolean {
  return (
    head.startsWith('/* ') ||
    head.startsWith('/*M!999999') ||
    head.startsWith('CREATE DATABASE ') ||
    head.startsWith('SET @@SESSION.SQL_LOG_BIN') ||
    head.startsWith('SET @MYSQLDUMP_TEMP_LOG_BIN') ||
    /^\/\*M?![0-9]+ SET (?:@OLD_|[A-Z_]+=@OLD_|NAMES |TIME_ZONE=)/.test(head) ||
    // Who asks for transactions around the rows of a table gets all of what makes them.
    /^SET @OLD_(?!AUTOCOMMIT=)/.test(head)
  );
}

function isInsert(bytes: Buffer, at: number): boolean {
  const head = bytes.toString('latin1', at, at + 16);
  return head.startsWith('INSERT ') || head.startsWith('REPLACE ');
}

/** Where the first row begins, or the line break before it: after `VALUES`; -1: not here. */
function afterValues(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    if (bytes[at] === 0x60) {
      const close = closingQuote(bytes, at);
      if (close < 0) return -1;
      at = close + 1;
    } else if (bytes.toString('latin1', at, at + 7) === ' VALUES') return at + 7;
    else at += 1;
  }
  return -1;
}

function quotedIn(statement: Buffer): Buffer {
  const open = statement.indexOf('`');
  return statement.subarray(open, closingQuote(statement, open) + 1);
}
