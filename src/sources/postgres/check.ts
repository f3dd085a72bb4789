import type { Finding } from '../../domain/finding.ts';
import { isError, RespaldoError } from '../../errors.ts';
import type { PostgresAddress } from './address.ts';
import { connect, MAINTENANCE, type PostgresConnection } from './connection.ts';
import { findPassword } from './password.ts';
import { inspectServer } from './server.ts';

/** Slots are the server's; a temporary one is taken for the time of a backup. */
const SLOTS_TAKEN = 'SELECT count(*)::int AS taken FROM pg_replication_slots';

/**
 * What would stop a base backup, without starting one: the connection itself proves password, pg_hba.conf, privilege
 * and a free walsender.
 * @throws RespaldoError what cannot work at all.
 */
export async function check(
  address: PostgresAddress,
  given: string | undefined,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const password = await findPassword(address, given);
  const findings: Finding[] = [];
  if (address.password !== undefined) findings.push(passwordInAddress);
  const connection = await connect(address, password, 'replication', signal);
  try {
    const server = await inspectServer(connection);
    if (!server.dataChecksums) findings.push(checksumsOff(connection.server));
    const slots = Number(await connection.show('max_replication_slots'));
    const taken = await slotsTaken(address, password, signal);
    if (taken >= slots) throw noSlot(connection.server, slots);
  } finally {
    await connection.close();
  }
  return findings;
}

/** 0 where it cannot be asked: the backup itself then tells. */
async function slotsTaken(
  address: PostgresAddress,
  password: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  let connection: PostgresConnection | undefined;
  try {
    connection = await connect(address, password, MAINTENANCE, signal);
    const [row] = await connection.query(SLOTS_TAKEN);
    return Number(row?.taken ?? 0);
  } catch (error) {
    if (!isError(error, 'source-refused')) throw error;
    return 0;
  } finally {
    await connection?.close();
  }
}

function noSlot(server: string, slots: number): RespaldoError {
  return new RespaldoError('source-refused', `${server} has no free replication slot: all ${String(slots)} are taken`, {
    hint: 'Raise max_replication_slots and restart the server, or drop slots that nobody needs (pg_drop_replication_slot).',
  });
}

function checksumsOff(server: string): Finding {
  return {
    severity: 'note',
    code: 'checksums-off',
    prominent: true,
    message: `${server} keeps no data checksums: damaged pages would be backed up unnoticed. pg_checksums --enable switches them on while the server is stopped.`,
  };
}

/** Told of any address with a password. */
export const passwordInAddress: Finding = {
  severity: 'note',
  code: 'password-in-address',
  prominent: true,
  message:
    'the address holds a password, which others may see in process lists and histories: PGPASSWORD, ~/.pgpass or the plan’s password are safer.',
};
