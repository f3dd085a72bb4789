import type { Report } from '../../domain/entry.ts';
import { RespaldoError } from '../../errors.ts';
import type { SourceIo } from '../source.ts';
import type { Facts } from './facts.ts';
import { immutable } from './copy.ts';
import { ask, firstRow, type Answer } from './questions.ts';
import { refusal } from './refusal.ts';

/** What a database says of itself. */
export interface Inspection {
  /** What `integrity_check` found; empty: nothing. */
  readonly damage: readonly string[];
  /** Why it could not be made. */
  readonly unchecked?: string;
  /** How many rows refer to rows that are not there. */
  readonly orphans: number;
  readonly facts: Omit<Facts, 'format' | 'kind' | 'type' | 'origin' | 'file' | 'original' | 'journalMode'>;
}

const SETTINGS = `SELECT sqlite_version(), encoding, page_size, page_count, user_version, application_id
  FROM pragma_encoding, pragma_page_size, pragma_page_count, pragma_user_version, pragma_application_id`;
const TABLES = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow') ORDER BY name`;

/** What only an application knows that teaches it to its own connections. */
const UNKNOWN = /^(?:no such (?:collation|function)|unknown function)/;

export async function inspect(file: string, io: Pick<SourceIo, 'runtime' | 'signal'>): Promise<Inspection> {
  const questions = ['PRAGMA integrity_check', 'SELECT count(*) FROM pragma_foreign_key_check', SETTINGS, TABLES];
  const [integrity, orphans, settings, list] = await ask(immutable(file), questions, io).catch((error: unknown) => {
    throw refusal(file, error);
  });
  const [sqliteVersion, encoding, ...numbers] = firstRow(settings).map((value) => value ?? '');
  const [pageBytes = 0, pages = 0, userVersion = 0, applicationId = 0] = numbers.map(Number);
  if (sqliteVersion === undefined || encoding === undefined) throw damaged(file, settings?.failed ?? 'it says nothing');
  const names = list?.rows.flatMap(([name]) => name ?? []) ?? [];
  return {
    ...health(integrity),
    orphans: Number(firstRow(orphans)[0] ?? 0),
    facts: {
      sqliteVersion,
      encoding,
      pageBytes,
      bytes: pageBytes * pages,
      userVersion,
      applicationId,
      tables: await countRows(file, names, io),
    },
  };
}

/** @throws RespaldoError `source-damaged`, unless damage is accepted: then it is reported, as all else is. */
export function requireSound(name: string, inspection: Inspection, report: Report, acceptDamage: boolean): void {
  const { damage, unchecked, orphans } = inspection;
  const [first] = damage;
  const tell = (severity: 'note' | 'incomplete', code: string, message: string) => {
    report({
      severity,
      code,
      message: `${name} ${message}`,
      subject: name,
      ...(severity === 'note' && { prominent: true }),
    });
  };
  if (first !== undefined && !acceptDamage) throw damaged(name, first);
  if (first !== undefined) tell('incomplete', 'pages-damaged', `is damaged: ${first}`);
  if (unchecked !== undefined)
    tell('note', 'integrity-unchecked', `can be checked by its application only: ${unchecked}`);
  if (orphans > 0)
    tell('note', 'references-broken', `has ${String(orphans)} rows that refer to rows which are not there`);
}

function health(integrity: Answer | undefined): Pick<Inspection, 'damage' | 'unchecked'> {
  const { failed, rows = [] } = integrity ?? {};
  if (failed !== undefined && UNKNOWN.test(failed)) return { damage: [], unchecked: failed };
  return { damage: failed === undefined ? rows.flatMap(([line]) => (line === 'ok' ? [] : (line ?? []))) : [failed] };
}

/** A table that cannot be read is left out: what is wrong with it, the check says. */
async function countRows(
  file: string,
  names: readonly string[],
  io: Pick<SourceIo, 'runtime' | 'signal'>,
): Promise<Facts['tables']> {
  const questions = names.map((name) => `SELECT count(*) FROM "${name.replaceAll('"', '""')}"`);
  const answers = await ask(immutable(file), questions, io);
  return names.flatMap((name, at) => firstRow(answers[at]).map((rows) => ({ name, rows: Number(rows) })));
}

function damaged(name: string, how: string): RespaldoError {
  return new RespaldoError('source-damaged', `${name} is damaged: ${how}`, {
    hint: 'Restore it, or save what can be read (sqlite3 file.db .recover). --accept-damaged-pages stores it as it is.',
  });
}
