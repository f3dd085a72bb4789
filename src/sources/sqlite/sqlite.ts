/** SQLite databases: a file each, copied by SQLite itself while others read and write it. */
import { parse, resolve } from 'node:path';
import { chooseBlock } from '../../domain/block-size.ts';
import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import { ParentBlocks } from '../../domain/parent-blocks.ts';
import { shellWord } from '../../domain/shell-word.ts';
import { RespaldoError } from '../../errors.ts';
import type { CaptureOptions, PortableFile, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';
import { copyOf, requireReadable } from './copy.ts';
import { drill } from './drill.ts';
import { encodeFacts, FACTS_PATH, FOLDER, readFacts, type Facts } from './facts.ts';
import { inspect, requireSound } from './inspection.ts';
import { restore } from './restore.ts';

const SCHEME = 'sqlite:';

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
  restore,
  driller: { programs: ['node'], neededBytes: async (snapshot) => (await readFacts(snapshot)).bytes, drill },
};

class SqliteSource implements Source {
  readonly kind = 'sqlite';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #file: string;
  readonly #options: SourceOptions;

  constructor(file: string, options: SourceOptions) {
    this.paths = [`/sqlite${file}`];
    this.#file = file;
    this.#options = options;
  }

  async check({ runtime, signal }: SourceIo): Promise<readonly Finding[]> {
    if (runtime.kind !== 'host')
      throw new RespaldoError('usage', `${this.#file} is a file of this host: ${runtime.place} cannot read it`, {
        hint: 'Leave the runtime out. A database in a volume can be named where the volume is mounted.',
      });
    await requireReadable(this.#file, signal);
    return [];
  }

  /** `/database/<file>`, cut at its pages, and the facts. */
  async *capture(io: SourceIo, { type, origin, since }: CaptureOptions): AsyncIterable<Entry> {
    await using copy = await copyOf(this.#file, io);
    const inspection = await inspect(copy.file, io);
    requireSound(this.#file, inspection, io.report, this.#options.acceptDamagedPages);

    const { metadata } = copy;
    const facts: Facts = {
      format: 1,
      kind: 'sqlite',
      type,
      ...(origin && { origin }),
      ...copy.facts,
      ...inspection.facts,
    };
    const { bytes, pageBytes } = facts;
    const path = `${FOLDER}/${facts.file}`;
    const before = await new ParentBlocks(since, pageBytes).blockOf(path);
    const cut = { block: before ?? chooseBlock(bytes, bytes, pageBytes) };
    yield { kind: 'directory', path: FOLDER, metadata: { ...metadata, mode: 0o700 } };
    yield { kind: 'file', path, metadata, content: copy.bytes(), cut };
    yield { kind: 'file', path: FACTS_PATH, metadata: { ...metadata, mode: 0o600 }, content: [encodeFacts(facts)] };
  }

  async *portable(io: SourceIo): AsyncIterable<PortableFile> {
    await using copy = await copyOf(this.#file, io);
    const inspection = await inspect(copy.file, io);
    requireSound(this.#file, inspection, io.report, this.#options.acceptDamagedPages);
    const { base, name } = parse(this.#file);
    const { sqliteVersion, userVersion } = inspection.facts;
    yield {
      name,
      extension: 'sqlite',
      content: copy.bytes(),
      about: () => ({
        versions: { SQLite: sqliteVersion },
        facts: { userVersion: String(userVersion) },
        restoreCommand: `cat > ${shellWord(base)}`,
      }),
    };
  }
}
