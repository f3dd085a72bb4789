import { isSuspiciouslySmall } from '../../../domain/dump-size.ts';
import type { Entry } from '../../../domain/entry.ts';
import type { Finding } from '../../../domain/finding.ts';
import { encodeFacts, FACTS_PATH } from '../../server/snapshot-facts.ts';
import type { CaptureOptions, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import { takeDumps } from './begun-dumps.ts';
import type { DatabaseFacts, LogicalFacts } from './facts.ts';
import { findLogicalFacts } from './logical-snapshot.ts';

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
  await using dumps = await takeDumps(address, given, io);
  const { outlook } = dumps;
  const { server, tools, databases } = outlook;
  const before = options.previous && (await findLogicalFacts(options.previous));
  if (!server.passwords) io.report(passwordsMissing(tools.server));

  const metadata = dumpMetadata();
  yield { kind: 'directory', path: '/dump', metadata: { ...metadata, mode: 0o700 } };
  yield { kind: 'file', path: GLOBALS, metadata, content: dumps.globals, cut: { average: 1 } };

  const facts: DatabaseFacts[] = [];
  let expected = 0;
  for (const [i, entries] of dumps.entries.entries()) {
    const earlier = before?.databases.find(({ name }) => name === databases[i]?.name);
    yield* entries.entries((bytes) => {
      io.expect((expected += bytes));
    }, earlier);
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
