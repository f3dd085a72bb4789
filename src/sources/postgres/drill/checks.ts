import type { DrillCheck, DrillSettings } from '../../../domain/drill.ts';
import type { Finding } from '../../../domain/finding.ts';
import { isError, throwIfAborted } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import { checkAssertions, placeAssertions } from './assertions.ts';
import { changedCollations } from './collations.ts';
import { checkContent } from './content-checks.ts';
import { databasesOf, inDatabase } from './databases.ts';
import { refutation } from './refutation.ts';
import type { ThrowAwayServer } from './throwaway-server.ts';

/** Since when the server records by which version of its collation a database is sorted. */
const DATABASE_COLLATIONS_SINCE = 15;

/** What else an index may fail for. */
const OTHER_ORDER =
  ' (it may be sound where it came from: this machine sorts otherwise. Drill in a container of the original’s image: --image)';

const ONLINE: Finding = {
  severity: 'note',
  code: 'drill-not-offline',
  message:
    'the throw-away server listens nowhere and follows nobody, but could not be cut off from the network: this system allows no network namespaces',
};

/**
 * Looks into every database of a server that runs, then asks what the plan wants to know.
 * @throws RespaldoError `config` for an assertion of nobody knows which database, and what the server raises.
 */
export async function checkServer(
  server: ThrowAwayServer,
  settings: DrillSettings,
  { signal, report }: Pick<SourceIo, 'signal' | 'report'>,
): Promise<readonly DrillCheck[]> {
  const databases = await databasesOf(server, signal);
  const assertions = placeAssertions(settings.assertions, databases);
  if (!server.confinement.offline) report(ONLINE);
  const checks: DrillCheck[] = [];
  for (const database of databases) {
    const opened = await open(server, database, signal);
    if ('failed' in opened) {
      checks.push(opened.failed);
      continue;
    }
    if (opened.changed !== undefined) report(opened.changed);
    const check = await checkContent(server, database, signal);
    const isDoubtful = opened.changed !== undefined && !check.passed;
    checks.push(isDoubtful ? { ...check, detail: `${check.detail}${OTHER_ORDER}` } : check);
  }
  return [...checks, ...(await checkAssertions(server, assertions, settings, signal))];
}

/** Whether one can log in at all, and by which collations it is sorted. @throws RespaldoError `target-refused` */
async function open(
  server: ThrowAwayServer,
  database: string,
  signal: AbortSignal,
): Promise<{ readonly failed: DrillCheck } | { readonly changed: Finding | undefined }> {
  try {
    const isTold = server.programs.major >= DATABASE_COLLATIONS_SINCE;
    const look = isTold ? changedCollations : () => Promise.resolve(undefined);
    return { changed: await inDatabase(server, database, signal, (connection) => look(connection, database)) };
  } catch (error) {
    throwIfAborted(signal);
    if (!isError(error, 'source-refused') && !isError(error, 'source-damaged')) throw error;
    const failure = refutation(error.message, error);
    if (failure.code !== 'not-proven') throw failure;
    return { failed: { name: `database "${database}"`, passed: false, detail: error.message } };
  }
}
