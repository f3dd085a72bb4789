import type { DrillCheck } from '../../../domain/drill.ts';
import type { DrillReport, DrillRequest, SourceIo } from '../../source.ts';
import type { Facts } from '../facts.ts';
import { restore } from '../restore.ts';
import { checkServer } from './checks.ts';
import { inDatabase } from './databases.ts';
import { refuting } from './refutation.ts';
import { Stopwatch } from '../../../domain/stopwatch.ts';
import { ThrowAwayServer } from './throwaway-server.ts';

/** Restores the files, lets a server recover on them, and looks into all that it holds. */
export async function drillFiles(facts: Facts, request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const { snapshot, settings, extract } = request;
  const watch = new Stopwatch(request);
  const server = await ThrowAwayServer.prepare(majorOf(facts), request, io);
  try {
    const target = { folder: server.data, extract };
    await watch.measure('fetch', () => restore(snapshot, target, { ...io, report: () => undefined }));
    await watch.measure('start', async () => {
      await server.configure();
      await server.start(io.signal);
    });
    const checks = await watch.measure('check', () =>
      refuting(server, io.signal, async () => [
        await checkIdentity(server, facts, io.signal),
        ...(await checkServer(server, settings, io)),
      ]),
    );
    return { server: server.name, times: watch.times, checks };
  } finally {
    await server.stop();
  }
}

/** `15.8 (Debian 15.8-1)` → 15 */
export function majorOf({ serverVersion }: Facts): number {
  return Number.parseInt(serverVersion, 10);
}

/** What the snapshot's record says of the server. */
async function checkIdentity(server: ThrowAwayServer, facts: Facts, signal: AbortSignal): Promise<DrillCheck> {
  const [row] = await inDatabase(server, 'template1', signal, (connection) =>
    connection.query(
      `SELECT system_identifier::text AS system, pg_current_wal_insert_lsn() >= '${facts.endLsn}' AS reached,
         pg_current_wal_insert_lsn()::text AS lsn FROM pg_control_system()`,
    ),
  );
  const failures = [
    ...(row?.['system'] === facts.systemIdentifier
      ? []
      : [`its system identifier is ${String(row?.['system'])} instead of ${facts.systemIdentifier}`]),
    ...(row?.['reached'] === true ? [] : [`it recovered to ${String(row?.['lsn'])}, before ${facts.endLsn}`]),
  ];
  const detail = `system ${facts.systemIdentifier}, recovered to ${String(row?.['lsn'])}`;
  return {
    name: 'recovery',
    passed: failures.length === 0,
    detail: failures.length === 0 ? detail : failures.join('; '),
  };
}
