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
 * @throws RespaldoError `source-damaged` that names the files.
 */
export function judgeDamage(end: BackupEnd, server: string, accept: boolean, report: Report): void {
  if (!end.damaged) return;
  const files = damagedFiles(end);
  const told = end.warnings.map(({ message }) => message);
  if (!accept)
    throw new RespaldoError(
      'source-damaged',
      `${server} found damaged pages in ${files.join(', ') || 'some file'}: ${told[0] ?? 'it did not say where'}`,
      {
        hint:
          'Nothing was stored as a snapshot. Find the relation with `SELECT pg_filenode_relation(0, <number>)` in the ' +
          'database with that oid, repair or restore it, then run the backup again; `--accept-damaged-pages` stores ' +
          'the snapshot as incomplete.',
      },
    );
  for (const file of files.length > 0 ? files : ['(unnamed)']) {
    const message = told.find((text) => text.includes(file)) ?? `damaged pages in ${file}`;
    report({ severity: 'incomplete', code: 'pages-damaged', message, subject: file });
  }
}
