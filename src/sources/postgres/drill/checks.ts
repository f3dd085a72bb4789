import type { DrillCheck, DrillSettings } from '../../../domain/drill.ts';
import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import { checkAssertions } from './assertions.ts';
import { changedCollations } from './collations.ts';
import { checkContent } from './content-checks.ts';
import { databasesOf, inDatabase } from './databases.ts';
import type { ThrowAwayServer } from './throwaway-server.ts';

/**
 * Looks into every database of a server that runs, then asks what the plan wants to know.
 * @throws RespaldoError `not-proven` if it crashes, `config` for an assertion of nobody knows which database.
 */
export async function checkServer(
  server: ThrowAwayServer,
  settings: DrillSettings,
  io: Pick<SourceIo, 'signal' | 'report'>,
): Promise<readonly DrillCheck[]> {
  try {
    return await checkAll(server, settings, io);
  } catch (error) {
    throwIfAborted(io.signal);
    if (!isError(error, 'source-lost') && !isError(error, 'source-missing')) throw error;
    const hint = await server.lastWords();
    throw new RespaldoError('not-proven', 'the server crashed while it was looked into', { hint, cause: error });
  }
}

async function checkAll(
  server: ThrowAwayServer,
  settings: DrillSettings,
  { signal, report }: Pick<SourceIo, 'signal' | 'report'>,
): Promise<readonly DrillCheck[]> {
  const databases = await databasesOf(server, signal);
  if (!server.confinement.offline) report(ONLINE);
  const checks: DrillCheck[] = [];
  for (const database of databases) {
    const opened = await checkOpens(server, database, signal, report);
    checks.push(opened ?? (await checkContent(server, database, signal)));
  }
  return [...checks, ...(await checkAssertions(server, databases, settings, signal))];
}

const ONLINE = {
  severity: 'note',
  code: 'drill-not-offline',
  message:
    'the throw-away server listens nowhere and follows nobody, but could not be cut off from the network: this system allows no network namespaces',
} as const;

/** Whether one can log in at all, and by which collations it is sorted. Undefined: all is well. */
async function checkOpens(
  server: ThrowAwayServer,
  database: string,
  signal: AbortSignal,
  report: SourceIo['report'],
): Promise<DrillCheck | undefined> {
  try {
    const finding = await inDatabase(server, database, signal, (connection) =>
      server.programs.major < 15 ? Promise.resolve(undefined) : changedCollations(connection, database),
    );
    if (finding !== undefined) report(finding);
    return undefined;
  } catch (error) {
    throwIfAborted(signal);
    if (!isError(error, 'source-refused') && !isError(error, 'source-damaged')) throw error;
    const hint = /locale/.test(error.message)
      ? ' (install the locale on this machine: it is none of the snapshot’s faults)'
      : '';
    return { name: `database "${database}"`, passed: false, detail: `${error.message}${hint}` };
  }
}
