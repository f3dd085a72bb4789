/** Redis and Valkey servers: all databases, as the RDB that a replica is sent. */
import type { Entry, Metadata } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { CaptureOptions, PortableFile, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';
import { isRedisAddress, parseAddress, snapshotPath, type RedisAddress } from './address.ts';
import { ClientServer } from './client-server.ts';
import { DirectServer } from './direct-server.ts';
import { drill, neededBytes } from './drill.ts';
import { encodeFacts, FACTS_PATH, FILE, FOLDER, type Facts } from './facts.ts';
import type { ServerInfo } from './info.ts';
import { restore } from './restore.ts';
import type { RedisServer } from './server.ts';
import { Transfer, type Transferred } from './transfer.ts';

/** Servers write keys in no order that lasts: small pieces find what is where it was. */
const CUT = { average: 32 * 1024 };

export const redis: SourceKind = {
  name: 'redis',
  addresses: 'a Redis or Valkey server (redis://user@host:6379)',
  restoresAs: 'an RDB that a Redis server starts on',
  accepts: isRedisAddress,
  open: (address, options) => new RedisSource(parseAddress(address), options),
  restore,
  driller: { programs: ['redis-server', 'valkey-server', 'redis-check-rdb'], neededBytes, drill },
};

class RedisSource implements Source {
  readonly kind = 'redis';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #address: RedisAddress;
  readonly #password: string | undefined;

  constructor(address: RedisAddress, { password, place }: SourceOptions) {
    this.paths = [snapshotPath(address, place)];
    this.#address = address;
    this.#password = password ?? address.password ?? process.env['REDISCLI_AUTH'];
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    const server = this.#reach(io);
    const { isClustered } = await server.info();
    return isClustered ? [oneNode(server.name)] : [];
  }

  /** `/rdb/dump.rdb`, and the facts. */
  async *capture(io: SourceIo, { type, origin }: CaptureOptions): AsyncIterable<Entry> {
    const server = this.#reach(io);
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

  async *portable(io: SourceIo): AsyncIterable<PortableFile> {
    const server = this.#reach(io);
    const info = await server.info();
    const transfer = new Transfer(server);
    yield {
      name: 'redis',
      extension: 'rdb',
      content: transfer.bytes(),
      about: () => ({
        versions: { [info.product]: info.version },
        facts: { replicationId: info.replicationId, keys: keysOf(info) },
        restoreCommand: 'cat > dump.rdb',
      }),
    };
  }

  #reach({ runtime, signal }: SourceIo): RedisServer {
    return runtime.kind === 'host'
      ? new DirectServer(this.#address, this.#password, signal)
      : new ClientServer(this.#address, this.#password, runtime, signal);
  }
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
function keysOf({ databases }: ServerInfo): string {
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
