import { RespaldoError } from '../../errors.ts';
import type { PostgresConnection } from './connection.ts';

const OLDEST = 150_000;

/** What a backup needs to know of the server. */
export interface Server {
  /** As the server tells it: `15.8 (Debian 15.8-1.pgdg120+1)`. */
  readonly version: string;
  readonly systemIdentifier: string;
  readonly pageBytes: number;
  readonly walSegmentBytes: number;
  readonly dataChecksums: boolean;
}

/**
 * Asks over a replication connection.
 * @throws RespaldoError `source-refused` if the server is too old.
 */
export async function inspectServer(connection: PostgresConnection): Promise<Server> {
  const version = await connection.show('server_version');
  if (connection.version < OLDEST)
    throw new RespaldoError('source-refused', `${connection.server} is version ${version}`, {
      hint: 'Physical backups need PostgreSQL 15 or newer.',
    });
  const [system] = await connection.query('IDENTIFY_SYSTEM');
  return {
    version,
    systemIdentifier: String(system?.systemid),
    pageBytes: Number(await connection.show('block_size')),
    walSegmentBytes: parseSize(await connection.show('wal_segment_size')),
    dataChecksums: (await connection.show('data_checksums')) === 'on',
  };
}

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** `16MB` → 16777216. */
function parseSize(text: string): number {
  const [, digits = '', unit = 'B'] = /^(\d+)\s*([kMG]?B)?$/.exec(text) ?? [];
  return Number(digits) * (UNITS[unit] ?? 1);
}
