import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type {
  ArchivedRestoreRequest,
  DumpedDatabase,
  ServerRestorePlan,
  ServerRestoreRequest,
  ServerRestorer,
  SourceKind,
} from '../sources/source.ts';
import { Findings } from './findings.ts';

export interface ServerRestorePorts {
  readonly runtime: Runtime;
  /** Every kind of source. */
  readonly kinds: readonly SourceKind[];
  readonly onFinding?: (finding: Finding) => void;
}

/** The databases of a snapshot that the server at this address could take. @throws as {@link planServerRestore} */
export async function dumpedDatabases(
  snapshot: ReadableSnapshot,
  address: string,
  kinds: readonly SourceKind[],
): Promise<readonly DumpedDatabase[]> {
  return restorerFor(address, kinds).databases(snapshot);
}

/** Looks at dump and server, and changes nothing. @throws RespaldoError `usage` for an address of no server. */
export async function planServerRestore(
  request: ServerRestoreRequest | ArchivedRestoreRequest,
  ports: ServerRestorePorts,
  signal: AbortSignal,
): Promise<ServerRestorePlan> {
  const findings = new Findings(ports.onFinding);
  const restorer = restorerFor(request.address, ports.kinds);
  if (request.until !== undefined && restorer.replays !== true)
    throw new RespaldoError('usage', '--until is for MySQL and MariaDB: no log of other servers is stored', {
      hint: 'Leave it out.',
    });
  if (request.dropUnfinished === true && restorer.dropsUnfinished !== true)
    throw new RespaldoError('usage', '--drop-unfinished is for PostgreSQL: elsewhere nobody can tell who left what', {
      hint: 'Leave it out; the plan names what is there, and you can drop it yourself.',
    });
  const io = ioOf(ports, findings, signal);
  return 'copies' in request ? archivedRestorer(restorer).plan(request, io) : restorer.plan(request, io);
}

/** Carries the plan out: verified, restored, compared and in place, or thrown with the old databases untouched. */
export async function restoreToServer(
  plan: ServerRestorePlan,
  request: ServerRestoreRequest | ArchivedRestoreRequest,
  ports: ServerRestorePorts,
  signal: AbortSignal,
): Promise<{ readonly findings: readonly Finding[] }> {
  const findings = new Findings(ports.onFinding);
  const restorer = restorerFor(request.address, ports.kinds);
  const io = ioOf(ports, findings, signal);
  if ('copies' in request) await archivedRestorer(restorer).carryOut(plan, request, io);
  else await restorer.carryOut(plan, request, io);
  return { findings: findings.list };
}

function restorerFor(address: string, kinds: readonly SourceKind[]): ServerRestorer {
  const restorer = kinds.find((kind) => kind.accepts(address))?.server;
  if (restorer !== undefined) return restorer;
  throw new RespaldoError('usage', 'the address to restore to is not that of a server', {
    hint: 'Name one, such as --to postgresql://postgres@localhost/shop, or a folder: --target ./restored',
  });
}

function archivedRestorer({ archived }: ServerRestorer): NonNullable<ServerRestorer['archived']> {
  if (archived !== undefined) return archived;
  throw new RespaldoError('usage', 'archives hold no logs of such servers', { hint: 'Leave --until out.' });
}

function ioOf({ runtime }: ServerRestorePorts, findings: Findings, signal: AbortSignal) {
  return { runtime, signal, report: findings.add, expect: () => undefined };
}
