/** SQLite databases: a file each, copied by SQLite itself while others read and write it. */
import { resolve } from 'node:path';
import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { CaptureOptions, PortableFile, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';

const SCHEME = 'sqlite:';

/** What works on databases is loaded when it is used. */
export const sqlite: SourceKind = {
  name: 'sqlite',
  addresses: 'a SQLite database (sqlite:./file.db)',
  restoresAs: 'a SQLite database',
  accepts: (address) => address.startsWith(SCHEME),
  open(address, options) {
    const file = address.slice(SCHEME.length);
    if (file === '' || file.endsWith('/'))
      throw new RespaldoError('usage', `"${address}" names no file`, { hint: 'Write sqlite:./file.db' });
    return new SqliteSource(resolve(options.workingDirectory, file), options);
  },
  restore: async (snapshot, into, io) => (await import('./restore.ts')).restore(snapshot, into, io),
  driller: {
    programs: ['node'],
    neededBytes: async (snapshot) => (await (await import('./facts.ts')).readFacts(snapshot)).bytes,
    drill: async (request, io) => (await import('./drill.ts')).drill(request, io),
  },
};

class SqliteSource implements Source {
  readonly kind = 'sqlite';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #file: string;
  readonly #acceptDamage: boolean;

  constructor(file: string, options: SourceOptions) {
    this.paths = [`/sqlite${file}`];
    this.#file = file;
    this.#acceptDamage = options.acceptDamagedPages;
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    if (io.runtime.kind !== 'host')
      throw new RespaldoError('usage', `${this.#file} is a file of this host: ${io.runtime.place} cannot read it`, {
        hint: 'Leave the runtime out. A database in a volume can be named where the volume is mounted.',
      });
    const { look } = await import('./copy.ts');
    await look(this.#file, io);
    return [];
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { capture } = await import('./capture.ts');
    yield* capture(this.#file, this.#acceptDamage, io, options);
  }

  async *portable(io: SourceIo): AsyncIterable<PortableFile> {
    const { portable } = await import('./capture.ts');
    yield* portable(this.#file, this.#acceptDamage, io);
  }

  async *portableOf(snapshot: ReadableSnapshot): AsyncIterable<PortableFile> {
    const { portableOf } = await import('./capture.ts');
    yield* portableOf(snapshot);
  }
}
