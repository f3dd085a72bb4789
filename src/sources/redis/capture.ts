import type { Entry, Metadata } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import { repeatable } from '../../domain/repeatable.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { CaptureOptions, PortableFile, SourceIo } from '../source.ts';
import { encodeFacts, FACTS_PATH } from '../server/snapshot-facts.ts';
import { FILE, FOLDER, readFacts, type Facts } from './facts.ts';
import type { ServerInfo } from './info.ts';
import type { RedisServer } from './server.ts';
import { Transfer, type Transferred } from './transfer.ts';

/** Servers write keys in no order that lasts: small pieces find what is where it was. */
const CUT = { average: 32 * 1024 };

/** What would stop a backup, or leave something out of it. */
export async function check(server: RedisServer): Promise<readonly Finding[]> {
  const { isClustered } = await server.info();
  return isClustered ? [oneNode(server.name)] : [];
}

/** `/rdb/dump.rdb`, and the facts. */
export async function* capture(
  server: RedisServer,
  io: SourceIo,
  { type, origin }: CaptureOptions,
): AsyncGenerator<Entry> {
  io.expect((await server.info()).usedMemory);
  const transfer = new Transfer(server);
  const metadata = ourMetadata();
  yield { kind: 'directory', path: FOLDER, metadata: { ...metadata, mode: 0o700 } };
  yield { kind: 'file', path: `${FOLDER}/${FILE}`, metadata, content: transfer.bytes(), cut: CUT };
  const transferred = await transfer.result();
  if (!transferred.end.checksum) io.report(withoutChecksum(server.name));
  const facts = { ...factsOf(transferred), type, ...(origin && { origin }) };
  yield { kind: 'file', path: FACTS_PATH, metadata, content: [encodeFacts(facts)] };
}

/** The RDB itself. */
export async function* portable(server: RedisServer): AsyncGenerator<PortableFile> {
  const info = await server.info();
  yield portableFile(info, info.version, new Transfer(server).bytes());
}

/** The same of a snapshot. */
export async function* portableOf(snapshot: ReadableSnapshot): AsyncGenerator<PortableFile> {
  const facts = await readFacts(snapshot);
  yield portableFile(
    facts,
    facts.serverVersion,
    repeatable(() => snapshot.stream(`${FOLDER}/${FILE}`)),
  );
}

function portableFile(
  about: Pick<ServerInfo, 'product' | 'replicationId' | 'databases'>,
  version: string,
  content: AsyncIterable<Uint8Array>,
): PortableFile {
  const { product, replicationId } = about;
  return {
    name: 'redis',
    extension: 'rdb',
    content,
    about: () => ({
      versions: { [product]: version },
      facts: { replicationId, keys: keysOf(about) },
      restoreCommand: 'cat > dump.rdb',
    }),
  };
}

function factsOf({ info, header, end, keysExact }: Transferred): Omit<Facts, 'type' | 'origin'> {
  return {
    format: 1,
    kind: 'redis',
    product: info.product,
    serverVersion: info.version,
    role: info.role,
    isClustered: info.isClustered,
    appendOnly: info.appendOnly,
    replicationId: header.fields.get('repl-id') ?? info.replicationId,
    offset: Number(header.fields.get('repl-offset') ?? info.offset),
    rdbVersion: header.version,
    checksum: end.checksum,
    bytes: end.bytes,
    databases: [...info.databases],
    keysExact,
  };
}

/** `db0: 12, db3: 1` */
function keysOf({ databases }: Pick<ServerInfo, 'databases'>): string {
  return databases.map(({ number, keys }) => `db${String(number)}: ${String(keys)}`).join(', ');
}

function ourMetadata(): Metadata {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return { mode: 0o600, uid, gid, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n };
}

function oneNode(server: string): Finding {
  return {
    severity: 'note',
    code: 'cluster-node',
    prominent: true,
    message: `${server} is one node of a cluster: the keys of the others are not in this snapshot; name each primary as a source`,
  };
}

function withoutChecksum(server: string): Finding {
  return {
    severity: 'note',
    code: 'checksum-missing',
    message: `${server} writes no checksums (rdbchecksum no): that the RDB is whole is known by its end alone`,
  };
}
