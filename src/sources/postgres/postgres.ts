import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { CaptureOptions, RestoreTarget, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';
import { isPostgresAddress, parseAddress, snapshotPath, type PostgresAddress } from './address.ts';

/** A whole PostgreSQL server, physically. What talks to it is loaded when it is used. */
class PostgresSource implements Source {
  readonly kind = 'postgres';
  readonly paths: readonly string[];
  readonly #address: PostgresAddress;
  readonly #options: SourceOptions;

  constructor(address: PostgresAddress, options: SourceOptions) {
    this.paths = [snapshotPath(address)];
    this.#address = address;
    this.#options = options;
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    const { check } = await import('./check.ts');
    return check(this.#address, this.#options.password, io.signal);
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { capture } = await import('./capture.ts');
    const { password, acceptDamagedPages } = this.#options;
    yield* capture({ address: this.#address, password, acceptDamagedPages }, io, options);
  }
}

export const postgres: SourceKind = {
  name: 'postgres',
  accepts: isPostgresAddress,
  open: (address, options) => new PostgresSource(parseAddress(address), options),
  restore: async (snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo) => {
    const { restore } = await import('./restore.ts');
    await restore(snapshot, into, io);
  },
};
