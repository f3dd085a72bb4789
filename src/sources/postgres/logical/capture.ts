import { isSuspiciouslySmall } from '../../../domain/dump-size.ts';
import type { Entry } from '../../../domain/entry.ts';
import type { Finding } from '../../../domain/finding.ts';
import { encodeFacts, FACTS_PATH } from '../../server/snapshot-facts.ts';
import type { CaptureOptions, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { findPassword } from '../password.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import { DatabaseEntries } from './database-entries.ts';
import { dumpGlobals, knowsGuard } from './dumps.ts';
import type { DatabaseFacts, LogicalFacts } from './facts.ts';
import { findLogicalFacts } from './logical-snapshot.ts';
import { lookAt } from './outlook.ts';

const GLOBALS = '/dump/globals.sql';

/**
 * Dumps as entries: `/dump/globals.sql`, `/dump/<database>/…`, and `/respaldo.json` last. Ends normally only after
 * every tool has ended well and every dump had its end marker.
 */
export async function* captureDumps(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
  options: CaptureOptions,
): AsyncGenerator<Entry> {
  const { server, tools, databases, maintenance } = await lookAt(address, given, io);
  const before = options.previous && (await findLogicalFacts(options.previous));
  const isGuarded = await knowsGuard(tools);
  if (!server.passwords) io.report(passwordsMissing(tools.server));

  const direct = io.runtime.kind === 'host' ? { address, password: await findPassword(address, given) } : undefined;

  await using begun = new AsyncDisposableStack();
  const all = databases.map((database) => {
    const earlier = before?.databases.find(({ name }) => name === database.name);
    const request = { database, version: server.number, isGuarded, jobs: address.jobs, direct, before: earlier };
    return { entries: new DatabaseEntries(tools, request), earlier };
  });
  // While roles are read, the first database gets ready.
  const first = all[0]?.entries;
  if (first !== undefined) begun.use(first).begin();

  const metadata = dumpMetadata();
  yield { kind: 'directory', path: '/dump', metadata: { ...metadata, mode: 0o700 } };
  const globals = { rows: new Map<string, number>(), sequences: [], bytes: 0 };
  const roles = dumpGlobals(tools, isGuarded, maintenance, server.passwords, globals);
  yield { kind: 'file', path: GLOBALS, metadata, content: roles, cut: { average: 1 } };

  const facts: DatabaseFacts[] = [];
  let expected = 0;
  for (const { entries, earlier } of all) {
    yield* entries.entries((bytes) => {
      io.expect((expected += bytes));
    });
    facts.push(entries.facts);
    if (!address.acceptSmaller && isSuspiciouslySmall(entries.facts.dumpBytes, earlier))
      io.report(shrunken(entries.facts, earlier));
  }
  const snapshot: LogicalFacts = {
    format: 1,
    kind: 'postgres',
    method: 'logical',
    type: options.type,
    ...(options.origin && { origin: options.origin }),
    serverVersion: server.version,
    serverVersionNumber: server.number,
    tool: await tools.version('pg_dump'),
    globals: { file: GLOBALS, passwords: server.passwords },
    databases: facts,
  };
  yield { kind: 'file', path: FACTS_PATH, metadata, content: [encodeFacts(snapshot)] };
}

export function passwordsMissing(server: string): Finding {
  return {
    severity: 'note',
    code: 'role-passwords-missing',
    prominent: true,
    message: `${server}: the role may not read the roles’ passwords (pg_authid), so they are not in the snapshot: roles restored from it have none until ALTER ROLE … PASSWORD gives them new ones`,
  };
}

function shrunken({ name, dumpBytes }: DatabaseFacts, before: DatabaseFacts | undefined): Finding {
  return {
    severity: 'incomplete',
    code: 'dump-shrunken',
    subject: name,
    message: `the dump of "${name}" has ${String(dumpBytes)} bytes, the one before had ${String(before?.dumpBytes ?? 0)}: if that is as it should be, say so once by smaller=accept in the address`,
  };
}
