import type { Report } from '../../domain/entry.ts';
import { RespaldoError } from '../../errors.ts';
import type { BackupEnd } from './wire/base-backup.ts';

/** A relation file in a message, whatever the message's language. */
const RELATION_FILE = /(?:\/?[\w.-]+\/)*(?:base\/\d+|global|PG_\d+_\d+\/\d+)\/\d+(?:_[a-z]+)?(?:\.\d+)?/;

/** The files whose pages failed their checksums, as the server named them in its warnings. */
export function damagedFiles(end: BackupEnd): readonly string[] {
  if (!end.damaged) return [];
  const files = end.warnings.map(({ message }) => RELATION_FILE.exec(message)?.[0].replace(/^\.?\//, ''));
  return [...new Set(files.filter((file) => file !== undefined))].sort();
}

/**
 * Damaged pages end the backup, unless they are accepted: then each file is a finding that makes the snapshot
 * incomplete.
 * @param names what the files belong to, as far as it is known.
 * @throws RespaldoError `source-damaged` that names the files.
 */
export function judgeDamage(
  end: BackupEnd,
  names: ReadonlyMap<string, string>,
  server: string,
  accept: boolean,
  report: Report,
): void {
  if (!end.damaged) return;
  const files = damagedFiles(end);
  const told = end.warnings.map(({ message }) => message);
  const describe = (file: string): string => (names.has(file) ? `${file} (${names.get(file) ?? ''})` : file);
  if (!accept)
    throw new RespaldoError(
      'source-damaged',
      `${server} found damaged pages in ${files.map(describe).join(', ') || 'some file'}: ${told[0] ?? 'it did not say where'}`,
      {
        hint: 'Nothing was stored as a snapshot. An index can be built anew (REINDEX), a table wants what can still be read of it, or an earlier snapshot. `--accept-damaged-pages` stores the snapshot as incomplete.',
      },
    );
  for (const file of files.length > 0 ? files : ['some file']) {
    const detail = told.find((text) => text.includes(file)) ?? told[0] ?? 'the server did not say where';
    const message = `damaged pages in ${describe(file)}: ${detail}`;
    report({ severity: 'incomplete', code: 'pages-damaged', message, subject: file });
  }
}
