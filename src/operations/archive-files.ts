/** Which files of archives a command means. Pure. */
import type { ArchivedFile } from '../archive/archive.ts';
import { RespaldoError } from '../errors.ts';

/** A file, and the archive that it is in. */
export interface FoundFile extends ArchivedFile {
  /** Of the configuration, or its address. */
  readonly archive: string;
}

export interface FileFilter {
  readonly plan?: string;
  readonly database?: string;
}

/** Those of a plan and of a database, as far as they are named. */
export function filtered<T extends ArchivedFile>(files: readonly T[], { plan, database }: FileFilter): readonly T[] {
  return files.filter(
    ({ manifest }) =>
      (plan === undefined || manifest.plan === plan) && (database === undefined || manifest.database === database),
  );
}

/**
 * The files that references mean: a key, the last part of one, its beginning, or `latest`: the newest of each database or
 * folder. No reference: all.
 * @param files the oldest first
 * @throws RespaldoError `path-missing` for one that means none, `usage` for one that means several
 */
export function chosenFiles<T extends FoundFile>(files: readonly T[], references: readonly string[]): readonly T[] {
  if (references.length === 0) return files;
  return [
    ...new Set(references.flatMap((reference) => (reference === 'latest' ? latestOf(files) : meant(files, reference)))),
  ];
}

/** The newest of each database or folder of each plan, in each archive. */
function latestOf<T extends FoundFile>(files: readonly T[]): readonly T[] {
  const newest = new Map<string, T>();
  for (const file of files) {
    const { plan, database, source, hostname } = file.manifest;
    newest.set(JSON.stringify([file.archive, hostname, plan, source, database]), file);
  }
  if (newest.size === 0)
    throw new RespaldoError('path-missing', 'there is no such file in the archive', { hint: LIST });
  return [...newest.values()];
}

const LIST = 'See what is there: respaldo archive list';

function meant<T extends FoundFile>(files: readonly T[], reference: string): readonly T[] {
  const named = (is: (name: string) => boolean): readonly T[] =>
    files.filter(({ key, manifest }) => is(key) || is(manifest.file));
  const exact = named((name) => name === reference);
  const found = exact.length > 0 ? exact : named((name) => name.startsWith(reference));
  const [first] = found;
  if (first === undefined)
    throw new RespaldoError('path-missing', `there is no file ${reference} in the archive`, { hint: LIST });
  // Several archives may hold the same.
  const other = found.find(({ manifest }) => manifest.plain.sha256 !== first.manifest.plain.sha256);
  if (other === undefined) return found;
  throw new RespaldoError(
    'usage',
    `${reference} means several files: ${first.key} in ${first.archive}, ${other.key} in ${other.archive}${found.length > 2 ? ' and more' : ''}`,
    { hint: 'Write more of the name, or name the archive: --archive NAME' },
  );
}
