/** Which databases of a dump are meant, and what they shall be called. */
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';

interface DumpedDatabase {
  readonly name: string;
  /** Of this database, in the snapshot: `/dump/<name>`. */
  readonly folder: string;
  readonly bytes: number;
}

/** All of them, or that of a folder. @throws RespaldoError `path-missing` */
export function databasesIn<Database extends DumpedDatabase>(
  snapshot: Pick<ReadableSnapshot, 'id'>,
  all: readonly Database[],
  folder: string | undefined,
): readonly Database[] {
  const wanted = folder?.replace(/\/+$/, '');
  const databases =
    wanted === undefined || wanted === '' || wanted === '/dump'
      ? all
      : all.filter((database) => database.folder === wanted || database.name === wanted.slice(1));
  if (databases.length > 0) return databases;
  throw new RespaldoError('path-missing', `snapshot ${snapshot.id} holds no database at ${String(wanted)}`, {
    hint: `It holds: ${all.map((database) => database.folder).join(', ')}.`,
  });
}

/** @param named by the address. @throws RespaldoError `usage` where one name is given to several */
export function targetsOf(databases: readonly DumpedDatabase[], named: string | undefined): string[] {
  if (named === undefined) return databases.map(({ name }) => name);
  if (databases.length === 1) return [named];
  throw new RespaldoError('usage', `the snapshot holds ${String(databases.length)} databases, the address names one`, {
    hint: `Say which by latest:/dump/<database>: ${databases.map(({ name }) => name).join(', ')}. Or leave the name out of the address.`,
  });
}

/** @param scheme of the address that names no database. @throws RespaldoError `usage`, always */
export function refuseNamelessFile(scheme: string): never {
  throw new RespaldoError('usage', 'a file does not say which database it is', {
    hint: `Name the database in the address: ${scheme}://user@host/name`,
  });
}

export function bytesOf(databases: readonly DumpedDatabase[] = []): number {
  return databases.reduce((sum, { bytes }) => sum + bytes, 0);
}
