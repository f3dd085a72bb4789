/** The kinds of sources. A new one is a file, or a folder, and a line in the list. */
import { RespaldoError } from '../errors.ts';
import { directory } from './directory/directory.ts';
import { mysql } from './mysql/mysql.ts';
import { postgres } from './postgres/postgres.ts';
import { redis } from './redis/redis.ts';
import type { Source, SourceKind, SourceOptions } from './source.ts';
import { sqlite } from './sqlite/sqlite.ts';
import { volume } from './volume/volume.ts';

export { openDirectories } from './directory/directory.ts';
export { openStream, type StreamOptions } from './stream/stream.ts';

/** Each loads what is heavy about it when it is used. The first that accepts an address has it. */
export const SOURCE_KINDS: readonly SourceKind[] = [postgres, mysql, redis, sqlite, volume, directory];

/** How addresses look, for people: a part of a sentence. (`Intl` takes longer than all else that a backup loads.) */
export const ADDRESSES = SOURCE_KINDS.map(({ addresses }) => addresses)
  .toReversed()
  .join(', ')
  .replace(/, (?=[^,]*$)/, ', or ');

/** @throws RespaldoError `usage` if no kind of source has such addresses. */
export function sourceFor(address: string): SourceKind {
  const kind = SOURCE_KINDS.find((one) => one.accepts(address));
  if (kind !== undefined) return kind;
  // The scheme alone: the rest of an address may hold a password.
  const scheme = address.slice(0, address.indexOf(':'));
  throw new RespaldoError('usage', `"${scheme}:" is no kind of source`, { hint: `An address is ${ADDRESSES}.` });
}

/** @throws RespaldoError `usage` that says what is wrong with the address. */
export function openSource(address: string, options: SourceOptions): Source {
  return sourceFor(address).open(address, options);
}
