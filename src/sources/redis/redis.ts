/** Redis and Valkey servers: all databases, as the RDB that a replica is sent. */
import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { CaptureOptions, PortableFile, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';
import { recognise } from './detection/recognise.ts';
import { isRedisAddress, parseAddress, snapshotPath, type RedisAddress } from './address.ts';
import type { RedisServer } from './server.ts';

/** What talks to servers is loaded when it is used. */
export const redis: SourceKind = {
  name: 'redis',
  addresses: 'a Redis or Valkey server (redis://user@host:6379)',
  restoresAs: 'an RDB that a Redis server starts on',
  accepts: isRedisAddress,
  open: (address, options) => new RedisSource(parseAddress(address), options),
  finder: {
    recognise,
    onHost: async (signal) => (await import('./detection/on-host.ts')).serversOfHost(signal),
  },
  restore: async (snapshot, into, io) => (await import('./restore.ts')).restore(snapshot, into, io),
  driller: {
    programs: ['redis-server', 'valkey-server', 'redis-check-rdb'],
    neededBytes: async (snapshot) => (await (await import('./facts.ts')).readFacts(snapshot)).bytes,
    drill: async (request, io) => (await import('./drill.ts')).drill(request, io),
  },
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
    const { check } = await import('./capture.ts');
    return check(await this.#reach(io));
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { capture } = await import('./capture.ts');
    yield* capture(await this.#reach(io), io, options);
  }

  async *portable(io: SourceIo): AsyncIterable<PortableFile> {
    const { portable } = await import('./capture.ts');
    yield* portable(await this.#reach(io));
  }

  async *portableOf(snapshot: ReadableSnapshot): AsyncIterable<PortableFile> {
    const { portableOf } = await import('./capture.ts');
    yield* portableOf(snapshot);
  }

  async #reach({ runtime, signal }: SourceIo): Promise<RedisServer> {
    if (runtime.kind === 'host') {
      const { DirectServer } = await import('./direct-server.ts');
      return new DirectServer(this.#address, this.#password, signal);
    }
    const [{ ClientServer }, { ownPassword }] = await Promise.all([
      import('./client-server.ts'),
      import('./own-password.ts'),
    ]);
    const password = this.#password ?? (await ownPassword(this.#address, runtime, signal));
    return new ClientServer(this.#address, password, runtime, signal);
  }
}
