import { RespaldoError } from '../../../errors.ts';
import { requireStatements } from '../../server/dump-file.ts';
import { withoutLines } from '../../server/sql-lines.ts';

const ENDS = ['-- PostgreSQL database dump complete', '-- PostgreSQL database cluster dump complete'];

/** What an SQL file of another tool turned out to be, once it has been read. */
export interface ForeignContent {
  /** Those that it connects to by itself. */
  readonly databases: Set<string>;
  /** pg_dump's end marker was there; files of other tools have none. */
  isWhole: boolean;
  /** It calls itself a dump of pg_dump. */
  isPgDump: boolean;
  /** There is more than comments and what is left out. */
  hasStatements: boolean;
}

/**
 * A plain dump, made fit for an empty database that somebody else has created: what would create, drop or connect to
 * a database goes, and, before the first CREATE, what would drop what is not there. Rows are not touched.
 */
export function foreignSql(sql: AsyncIterable<Uint8Array>, content: ForeignContent): AsyncGenerator<Uint8Array> {
  const lines = new ForeignLines(content);
  return withoutLines(sql, (bytes, from, to) => lines.isDropped(bytes, from, to));
}

class ForeignLines {
  readonly #content: ForeignContent;
  #isInRows = false;
  #hasCreated = false;

  constructor(content: ForeignContent) {
    this.#content = content;
  }

  isDropped(bytes: Buffer, from: number, to: number): boolean {
    if (this.#isInRows) {
      this.#isInRows = !(to - from === 2 && bytes[from] === 0x5c && bytes[from + 1] === 0x2e);
      return false;
    }
    const line = bytes.toString('utf8', from, to).trimEnd();
    const isDropped = this.#isForeign(line);
    if (!isDropped && line !== '' && !line.startsWith('--')) this.#content.hasStatements = true;
    return isDropped;
  }

  #isForeign(line: string): boolean {
    if (line.startsWith('COPY ') && /\bFROM stdin;$/i.test(line)) this.#isInRows = true;
    if (line === '-- PostgreSQL database dump' || line === '-- PostgreSQL database cluster dump')
      this.#content.isPgDump = true;
    if (ENDS.includes(line)) this.#content.isWhole = true;
    // Whoever restores guards it by words of their own.
    if (/^\\(?:un)?restrict /.test(line)) return true;
    const connected = /^\\(?:connect|c) (.*)$/.exec(line)?.[1];
    if (connected !== undefined) {
      this.#content.databases.add(connected);
      return true;
    }
    if (this.#content.databases.size > 0 && /^(?:GRANT|REVOKE) .* ON DATABASE .*;$/.test(line)) return true;
    if (!this.#hasCreated && /^(?:DROP|CREATE|ALTER|COMMENT ON) DATABASE .*;$/.test(line)) return true;
    if (line.startsWith('CREATE ')) this.#hasCreated = true;
    return !this.#hasCreated && /^(?:DROP (?!SCHEMA)|ALTER TABLE .* DROP CONSTRAINT ).*;$/.test(line);
  }
}

/** @throws RespaldoError `source-damaged` for a dump without its end or content, `usage` for one of several databases. */
export function requireRestorable(content: ForeignContent, path: string): void {
  const { databases, isPgDump, isWhole } = content;
  if (isPgDump && !isWhole)
    throw new RespaldoError('source-damaged', `${path} was cut short: pg_dump’s end marker is missing`, {
      hint: 'Nothing was restored. Fetch or make the file again.',
    });
  requireStatements(content, path);
  if (databases.size > 1)
    throw new RespaldoError('usage', `${path} holds several databases`, {
      hint: 'That is pg_dumpall’s: run psql -f on it by hand, or dump one database.',
    });
}
