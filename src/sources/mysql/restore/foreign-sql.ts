import { RespaldoError } from '../../../errors.ts';

const NEWLINE = 0x0a;

/** What a file of another tool turned out to be, once it has been read. */
export interface ForeignContent {
  /** Those that it makes or turns to by itself. */
  readonly databases: Set<string>;
  /** The dump program's end marker was there; files of other tools have none. */
  isWhole: boolean;
  /** It calls itself a dump of MariaDB or MySQL. */
  isDump: boolean;
}

/**
 * A dump, made fit for a database that somebody else has created: what would make, drop or turn to a database goes, and so
 * does what would change the server's replication, or is a command to some clients. Rows are not touched.
 */
export async function* foreignSql(sql: AsyncIterable<Uint8Array>, content: ForeignContent): AsyncGenerator<Uint8Array> {
  let held = Buffer.alloc(0);
  const filter = new ForeignLines(content);
  for await (const piece of sql) {
    const bytes = Buffer.concat([held, piece]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    held = bytes.subarray(end);
    if (end > 0) yield filter.kept(bytes.subarray(0, end));
  }
  if (held.length > 0) yield filter.kept(held);
}

/** Longer lines hold rows. */
const LONGEST = 4096;

class ForeignLines {
  readonly #content: ForeignContent;
  /** Statements end otherwise: the body of a routine, a trigger or an event. */
  #isInBody = false;
  /** Of a statement that goes, up to its end. */
  #isDropping = false;

  constructor(content: ForeignContent) {
    this.#content = content;
  }

  /** @param bytes whole lines */
  kept(bytes: Buffer): Buffer {
    const parts: Buffer[] = [];
    let kept = 0;
    for (let at = 0; at < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline;
      if (end - at <= LONGEST && this.#isDropped(bytes.toString('utf8', at, end).trimEnd())) {
        parts.push(bytes.subarray(kept, at));
        kept = Math.min(end + 1, bytes.length);
      }
      at = end + 1;
    }
    return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(kept)]);
  }

  #isDropped(line: string): boolean {
    if (this.#isDropping) {
      this.#isDropping = !line.endsWith(';');
      return true;
    }
    const [, delimiter] = /^DELIMITER (.+)$/i.exec(line) ?? [];
    if (delimiter !== undefined) this.#isInBody = delimiter.trim() !== ';';
    if (this.#isInBody || delimiter !== undefined) return false;
    if (/^-- (?:MariaDB|MySQL) dump /.test(line)) this.#content.isDump = true;
    if (line.startsWith('-- Dump completed')) this.#content.isWhole = true;
    if (line.startsWith('/*M!999999')) return true;
    const [, name] =
      /^(?:USE|CREATE DATABASE (?:\/\*!\d+ IF NOT EXISTS\*\/ )?(?:IF NOT EXISTS )?) ?`((?:[^`]|``)+)`.*;$/i.exec(
        line,
      ) ?? [];
    if (name !== undefined) {
      this.#content.databases.add(name.replaceAll('``', '`'));
      return true;
    }
    if (!REPLICATION.test(line)) return /^(?:\/\*!\d+ )?DROP DATABASE .*;$/i.test(line);
    this.#isDropping = !line.endsWith(';');
    return true;
  }
}

const REPLICATION =
  /^(?:CHANGE (?:MASTER|REPLICATION SOURCE) TO |SET GLOBAL gtid_slave_pos|SET @@GLOBAL\.GTID_PURGED|(?:STOP|START) (?:SLAVE|REPLICA|ALL SLAVES)\b|SET @@SESSION\.SQL_LOG_BIN|SET @MYSQLDUMP_TEMP_LOG_BIN)/i;

/** @throws RespaldoError `source-damaged` for a dump without its end, `usage` for one of several databases. */
export function requireRestorable({ databases, isDump, isWhole }: ForeignContent, path: string): void {
  if (isDump && !isWhole)
    throw new RespaldoError('source-damaged', `${path} was cut short: the dump’s end marker is missing`, {
      hint: 'Nothing was restored. Fetch or make the file again.',
    });
  if (databases.size > 1)
    throw new RespaldoError('usage', `${path} holds several databases: ${[...databases].join(', ')}`, {
      hint: 'Load it by hand: mariadb --binary-mode < file, or dump one database.',
    });
}
