import { chooseCut, isSuspiciouslySmall } from '../../../domain/dump-size.ts';
import type { Entry, Metadata } from '../../../domain/entry.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import { fileName } from '../../server/file-name.ts';
import { encodeFacts, FACTS_PATH } from '../../server/snapshot-facts.ts';
import type { CaptureOptions, SourceIo } from '../../source.ts';
import type { Access } from '../access.ts';
import type { BackupAddress } from '../address.ts';
import { accountsText, readAccounts } from './accounts.ts';
import { Dump, type DatabaseDump } from './database-dump.ts';
import { findFacts, type DatabaseFacts, type LogicalFacts } from './facts.ts';
import { accountsMissing, shrunken } from './findings.ts';
import { script } from './script.ts';
import { survey, type Survey } from './survey.ts';

const ACCOUNTS = '/dump/accounts.sql';

/**
 * Dumps as entries: `/dump/accounts.sql`, `/dump/<database>/…`, and `/respaldo.json` last. Ends normally only after
 * every program has ended well and every dump had its end marker.
 */
export async function* captureDumps(
  address: BackupAddress,
  access: Access,
  io: SourceIo,
  options: CaptureOptions,
): AsyncGenerator<Entry> {
  const found = await survey(address, access, io);
  const { tools, server, databases } = found;
  const before = options.previous && (await findFacts(options.previous));
  io.expect(databases.reduce((sum, { bytes }) => sum + bytes, 0));
  const metadata = dumpMetadata();
  yield folderEntry('/dump', metadata);
  const accounts = yield* accountEntries(found, metadata, io);

  const { said: dumpTool } = await tools.program('dump');
  const dump = await Dump.open(found, io);
  const facts: DatabaseFacts[] = [];
  for await (const database of dump.databases()) {
    const earlier = before?.databases.find(({ name }) => name === database.database.name);
    const own = yield* databaseEntries(database, earlier, metadata);
    facts.push(own);
    if (!address.acceptSmaller && isSuspiciouslySmall(own.dumpBytes, earlier)) io.report(shrunken(own, earlier));
  }
  const { position } = dump;
  const snapshot: LogicalFacts = {
    format: 1,
    kind: 'mysql',
    method: 'logical',
    type: options.type,
    ...(options.origin && { origin: options.origin }),
    product: server.version.product,
    serverVersion: server.said,
    tools: { client: (await tools.program('client')).said, dump: dumpTool },
    ...(Object.keys(position).length > 0 && { position }),
    ...(accounts !== undefined && { accounts: { file: ACCOUNTS, names: [...accounts] } }),
    meant: { all: address.databases.length === 0, exclude: [...address.exclude] },
    databases: facts,
  };
  yield { kind: 'file', path: FACTS_PATH, metadata, content: [encodeFacts(snapshot)] };
}

/** @returns the names of the accounts; undefined where they cannot be read. */
async function* accountEntries(
  { tools, server }: Survey,
  metadata: Metadata,
  io: SourceIo,
): AsyncGenerator<Entry, readonly string[] | undefined> {
  const accounts = await readAccounts(tools, server);
  if (accounts === undefined) {
    io.report(accountsMissing(server.account));
    return undefined;
  }
  yield { kind: 'file', path: ACCOUNTS, metadata, content: [Buffer.from(accountsText(accounts))], cut: { average: 1 } };
  return accounts.map(({ name }) => name);
}

async function* databaseEntries(
  dump: DatabaseDump,
  before: DatabaseFacts | undefined,
  metadata: Metadata,
): AsyncGenerator<Entry, DatabaseFacts> {
  const folder = `/dump/${fileName(dump.database.name)}`;
  const cut = chooseCut(dump.database.bytes, before);
  let bytes = 0;
  let hasTables = false;
  yield folderEntry(folder, metadata);
  for await (const file of dump.files()) {
    if (!hasTables && file.name.startsWith('tables/')) {
      hasTables = true;
      yield folderEntry(`${folder}/tables`, metadata);
    }
    const content = script(file.content, (more) => (bytes += more));
    yield { kind: 'file', path: `${folder}/${file.name}`, metadata, content, cut: { average: cut } };
  }
  return dump.facts(folder, bytes, before);
}

function folderEntry(path: string, metadata: Metadata): Entry {
  return { kind: 'directory', path, metadata: { ...metadata, mode: 0o700 } };
}
