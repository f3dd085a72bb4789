/** The configuration of a throw-away server. Pure. */
import { settingOf } from '../adapted-configuration.ts';

const EVENT_TRIGGERS_SINCE = 17;
const LEAST_TRANSACTIONS = 64;
const LEAST_LOCKS = 64;

/** Nobody gets in but through the socket, whose folder only who runs Respaldo may enter. */
export const ACCESS = 'local all all trust\n';

export interface Circumstances {
  readonly major: number;
  /** The folder of its socket: an absolute path. */
  readonly socketFolder: string;
  /** The configuration that was restored, which this one takes the place of; empty for a new server. */
  readonly original: string;
}

/**
 * All that the server is told: nothing of what was restored counts, so that it reaches nobody, archives nothing, follows
 * nobody, and starts no job. Only what the restored files themselves need is taken over.
 */
export function drillConfiguration({ major, socketFolder, original }: Circumstances): string {
  const settings: readonly (readonly [string, string | number])[] = [
    ['listen_addresses', ''],
    ['port', 5432],
    ['unix_socket_directories', quotedName(socketFolder)],
    ['unix_socket_permissions', '0700'],
    ['max_connections', 20],
    ['superuser_reserved_connections', 3],
    ['ssl', 'off'],
    // Neither an archive nor a primary is ever spoken to.
    ['archive_mode', 'off'],
    ['archive_command', ''],
    ['restore_command', ''],
    ['primary_conninfo', ''],
    ['primary_slot_name', ''],
    ['max_wal_senders', 0],
    ['wal_level', 'replica'],
    ['max_wal_size', '256MB'],
    // No subscription is applied, no library brings jobs of its own.
    ['max_logical_replication_workers', 0],
    ['shared_preload_libraries', ''],
    ['session_preload_libraries', ''],
    ['local_preload_libraries', ''],
    ...(major >= EVENT_TRIGGERS_SINCE ? [['event_triggers', 'off'] as const] : []),
    ['autovacuum', 'off'],
    ['restart_after_crash', 'off'],
    ['jit', 'off'],
    // What this machine has, whatever the original one had.
    ['shared_buffers', '128MB'],
    ['huge_pages', 'off'],
    ['dynamic_shared_memory_type', 'mmap'],
    ['logging_collector', 'off'],
    ['log_destination', 'stderr'],
    ...['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time'].map((name) => [name, 'C'] as const),
    ['timezone', 'UTC'],
    ['log_timezone', 'UTC'],
    ['max_prepared_transactions', atLeast(LEAST_TRANSACTIONS, original, 'max_prepared_transactions')],
    ['max_locks_per_transaction', atLeast(LEAST_LOCKS, original, 'max_locks_per_transaction')],
  ];
  return settings.map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`).join('');
}

/** Transactions that were prepared, and their locks, must find room again. */
function atLeast(least: number, original: string, name: string): number {
  const value = Number(settingOf(original, name));
  return Number.isInteger(value) && value > least ? value : least;
}

/** In a list of names between commas. */
function quotedName(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}
