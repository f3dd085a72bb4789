import { RespaldoError } from '../../../errors.ts';
import { requireStatements } from '../../server/dump-file.ts';
import { withoutLines } from '../../server/sql-lines.ts';

/** What a file of another tool turned out to be, once it has been read. */
export interface ForeignContent {
  /** Those that it makes or turns to by itself. */
  readonly databases: Set<string>;
  /** The dump program's end marker was there; files of other tools have none. */
  isWhole: boolean;
  /** It calls itself a dump of MariaDB or MySQL. */
  isDump: boolean;
  /** There is more than comments and what is left out. */
  hasStatements: boolean;
}

/**
 * A dump, made fit for a database that somebody else has created: what would make, drop or turn to a database goes, and so
 * does what would change the server's replication, or is a command to some clients. Rows are not touched.
 */
export function foreignSql(sql: AsyncIterable<Uint8Array>, content: ForeignContent): AsyncGenerator<Uint8Array> {
  const lines = new ForeignLines(content);
  return withoutLines(sql, (bytes, from, to) => lines.isDropped(bytes, from, to));
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

  isDropped(bytes: Buffer, from: number, to: number): boolean {
    const line = to - from <= LONGEST ? bytes.toString('utf8', from, to).trimEnd() : undefined;
    const isDropped = line !== undefined && this.#isForeign(line);
    if (!isDropped && line !== '' && line?.startsWith('--') !== true) this.#content.hasStatements = true;
    return isDropped;
  }

  #isForeign(line: string): boolean {
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

/** @throws RespaldoError `source-damaged` for a dump without its end or content, `usage` for one of several databases. */
export function requireRestorable(content: ForeignContent, path: string): void {
  const { databases, isDump, isWhole } = content;
  if (isDump && !isWhole)
    throw new RespaldoError('source-damaged', `${path} was cut short: the dump’s end marker is missing`, {
      hint: 'Nothing was restored. Fetch or make the file again.',
    });
  requireStatements(content, path);
  if (databases.size > 1)
    throw new RespaldoError('usage', `${path} holds several databases: ${[...databases].join(', ')}`, {
      hint: 'Load it by hand: mariadb --binary-mode < file, or dump one database.',
    });
}
