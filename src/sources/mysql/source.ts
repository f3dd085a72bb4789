/** What can be read of a MySQL or MariaDB server: databases as dumps, its files, its log. */
import type { Source, SourceOptions } from '../source.ts';
import { logOf } from './binlogs/source.ts';
import { dumpsOf } from './logical/source.ts';
import { filesOf } from './physical/source.ts';
import { snapshotPaths, type BackupAddress } from './address.ts';

/** A server, and how it is logged in to. What talks to it is loaded when it is used. */
export interface ServerAddress {
  readonly address: BackupAddress;
  /** Where somebody gave one. */
  readonly password: string | undefined;
  /** What identifies the source. */
  readonly path: string;
}

/** How one method reads. */
export type Ways = Omit<Source, 'kind' | 'typed' | 'paths'>;

export function openMysqlSource(address: BackupAddress, { place, password }: SourceOptions): Source {
  const paths = snapshotPaths(address, place);
  return { kind: 'mysql', typed: true, paths, ...waysOf({ address, password, path: paths.join() }) };
}

function waysOf(server: ServerAddress): Ways {
  switch (server.address.method) {
    case 'logical':
      return dumpsOf(server);
    case 'physical':
      return filesOf(server);
    case 'binlogs':
      return logOf(server);
  }
}
