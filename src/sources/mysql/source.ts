/** What can be read of a MySQL or MariaDB server: databases as dumps, its files, its log. */
import type { Source, SourceOptions } from '../source.ts';
import { logOf } from './binlogs/source.ts';
import { dumpsOf } from './logical/source.ts';
import { filesOf } from './physical/source.ts';
import { snapshotPaths, type BackupAddress } from './address.ts';
import type { ServerAddress, Ways } from './ways.ts';

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
