import { RespaldoError } from '../../../errors.ts';
import { decoderOf, type Decode } from './server-encoding.ts';

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const DOT = 0x2e;

/** The ends that pg_dump and pg_dumpall write when they have written everything. */
const END_MARKERS = ['-- PostgreSQL database dump complete', '-- PostgreSQL database cluster dump complete'];

/** The name stops where a column list, or ` FROM`, begins: a space outside of quotes. */
const COPY = /^COPY ((?:"(?:[^"]|"")*"|[^" ])+) [^]*FROM stdin;$/;
const SETVAL = /^SELECT pg_catalog\.setval\('((?:[^']|'')+)', (-?\d+), (true|false)\);$/;

export interface DumpedSequence {
  /** As SQL has it, with its schema, quoted where it must be. */
  readonly name: string;
  /** In digits: it may be greater than a number can be. */
  readonly value: string;
  readonly called: boolean;
}

/** What a plain dump says of itself, learned while it passes. */
export interface DumpContent {
  /** Rows by table, whose name is as SQL has it, with its schema, quoted where it must be. */
  readonly rows: Map<string, number>;
  readonly sequences: DumpedSequence[];
  bytes: number;
}

export interface DumpTextOptions {
  /** The words by which pg_dump guards its text against meta-commands are new in every dump: lines that hold them go. */
  readonly guard?: string;
  /**
   * The dump's data alone: the transactions that pg_dump puts around large objects go, since they would end the one
   * that the whole is restored in.
   */
  readonly isData: boolean;
  /** As the server names it; absent: UTF-8. */
  readonly encoding?: string;
}

/**
 * A plain dump as it is stored: the same bytes for the same database.
 * @throws RespaldoError `source-lost` at its end if the end marker is missing.
 */
export async function* dumpText(
  dump: AsyncIterable<Uint8Array>,
  content: DumpContent,
  what: string,
  options: DumpTextOptions,
): AsyncGenerator<Uint8Array> {
  const lines = new DumpLines(content, options);
  for await (const piece of dump) yield* counted(lines.take(piece), content);
  yield* counted(lines.rest(), content);
  if (!lines.isComplete)
    throw new RespaldoError('source-lost', `${what} was cut short: its end marker is missing`, {
      hint: 'Nothing was stored as a snapshot. See the server’s log, then try again.',
    });
}

function* counted(pieces: Iterable<Uint8Array>, content: DumpContent): Generator<Uint8Array> {
  for (const piece of pieces) {
    content.bytes += piece.length;
    yield piece;
  }
}

/** Follows a dump line by line: in the rows of a COPY nothing is touched, elsewhere a few lines are dropped. */
class DumpLines {
  readonly #content: DumpContent;
  readonly #dropped: ReadonlySet<string>;
  readonly #decode: Decode;
  #isComplete = false;
  /** The beginning of a line, or of a COPY whose name goes over several lines. */
  #held: Buffer = Buffer.alloc(0);
  #table: string | undefined;
  #rows = 0;
  /** Within a row whose beginning has passed. */
  #isMidRow = false;

  constructor(content: DumpContent, { guard, isData, encoding = 'UTF8' }: DumpTextOptions) {
    this.#content = content;
    this.#decode = decoderOf(encoding);
    this.#dropped = new Set([
      ...(guard === undefined ? [] : [`\\restrict ${guard}`, `\\unrestrict ${guard}`]),
      ...(isData ? ['BEGIN;', 'COMMIT;'] : []),
    ]);
  }

  get isComplete(): boolean {
    return this.#isComplete && this.#table === undefined;
  }

  *take(piece: Uint8Array): Generator<Uint8Array> {
    const bytes =
      this.#held.length === 0
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.length)
        : Buffer.concat([this.#held, piece]);
    this.#held = Buffer.alloc(0);
    let kept = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#table !== undefined) {
        const rows = this.#skipRows(bytes, at);
        at = rows.end;
        if (!rows.ended) break;
        continue;
      }
      const end = statementEnd(bytes, at);
      if (end < 0) break;
      if (this.#judge(this.#decode(bytes, at, end))) {
        if (at > kept) yield bytes.subarray(kept, at);
        kept = end + 1;
      }
      at = end + 1;
    }
    if (at > kept) yield bytes.subarray(kept, at);
    this.#held = Buffer.from(bytes.subarray(Math.max(at, kept)));
  }

  *rest(): Generator<Uint8Array> {
    if (this.#held.length > 0) yield this.#held;
  }

  /** @returns whether the line, outside of rows, is one to be left out. */
  #judge(line: string): boolean {
    if (line === '') return false;
    const table = COPY.exec(line)?.[1];
    if (table !== undefined) {
      this.#table = table;
      this.#rows = 0;
      this.#isMidRow = false;
    } else if (END_MARKERS.includes(line)) this.#isComplete = true;
    else {
      const [, name, value = '', called] = SETVAL.exec(line) ?? [];
      if (name !== undefined)
        this.#content.sequences.push({ name: name.replaceAll("''", "'"), value, called: called === 'true' });
    }
    return this.#dropped.has(line);
  }

  /** @returns where the rows end, or, if they have not ended, where what cannot be judged yet begins. */
  #skipRows(bytes: Buffer, from: number): { end: number; ended: boolean } {
    let at = from;
    for (;;) {
      if (!this.#isMidRow && isEndOfRows(bytes, at)) {
        const table = this.#table ?? '';
        // What is loaded through a partitioned table comes in several pieces.
        this.#content.rows.set(table, (this.#content.rows.get(table) ?? 0) + this.#rows);
        this.#table = undefined;
        return { end: at + 3, ended: true };
      }
      const end = bytes.indexOf(NEWLINE, at);
      if (end < 0) break;
      this.#rows += 1;
      this.#isMidRow = false;
      at = end + 1;
    }
    if (!this.#isMidRow && bytes.length - at < 3) return { end: at, ended: false };
    this.#isMidRow = true;
    return { end: bytes.length, ended: false };
  }
}

function isEndOfRows(bytes: Buffer, at: number): boolean {
  return bytes[at] === BACKSLASH && bytes[at + 1] === DOT && bytes[at + 2] === NEWLINE;
}

/** The newline that ends the line at `at`, or, of a COPY whose quoted names hold newlines, all its lines; -1: not here. */
function statementEnd(bytes: Buffer, at: number): number {
  let end = bytes.indexOf(NEWLINE, at);
  if (bytes.toString('latin1', at, at + 5) !== 'COPY ') return end;
  while (end >= 0 && !isWholeCopy(bytes.toString('utf8', at, end))) end = bytes.indexOf(NEWLINE, end + 1);
  return end;
}

function isWholeCopy(text: string): boolean {
  return text.endsWith(' FROM stdin;') && text.split('"').length % 2 === 1;
}
