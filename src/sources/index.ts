/** The kinds of sources. A new one is a file, or a folder, and a line in the list. */
import { RespaldoError } from '../errors.ts';
import { directory } from './directory/directory.ts';
import { postgres } from './postgres/postgres.ts';
import type { Source, SourceKind, SourceOptions } from './source.ts';
import { volume } from './volume/volume.ts';

export { openDirectories } from './directory/directory.ts';
export { openStream, type StreamOptions } from './stream/stream.ts';

/** Each loads what is heavy about it when it is used. The first that accepts an address has it. */
export const SOURCE_KINDS: readonly SourceKind[] = [postgres, volume, directory];

/** What product and people speak of, and this version cannot do yet. */
const LATER = ['mysql', 'mariadb', 'influxdb', 'redis', 'sqlite', 'terraform'];

/** @throws RespaldoError `usage` if no kind of source has such addresses. */
export function sourceFor(address: string): SourceKind {
  const kind = SOURCE_KINDS.find((one) => one.accepts(address));
  if (kind !== undefined) return kind;
  // The scheme alone: the rest of an address may hold a password.
  const scheme = address.slice(0, address.indexOf(':'));
  throw new RespaldoError(
    'usage',
    LATER.includes(scheme.toLowerCase())
      ? `${scheme}: sources are not part of this version of Respaldo`
      : `"${scheme}:" is no kind of source`,
    {
      hint: 'Sources are folders (./folder, /folder; one whose name has a colon is written with "./" before it), servers (postgresql://user@host:5432/?method=physical), and volumes (docker-volume:NAME)',
    },
  );
}

/** @throws RespaldoError `usage` that says what is wrong with the address. */
export function openSource(address: string, options: SourceOptions): Source {
  return sourceFor(address).open(address, options);
}
