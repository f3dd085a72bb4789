import { parse } from 'node:path';
import { chooseBlock } from '../../domain/block-size.ts';
import type { Entry } from '../../domain/entry.ts';
import { ParentBlocks } from '../../domain/parent-blocks.ts';
import { repeatable } from '../../domain/repeatable.ts';
import { shellWord } from '../../domain/shell-word.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { CaptureOptions, PortableFile, SourceIo } from '../source.ts';
import { copyOf } from './copy.ts';
import { encodeFacts, FACTS_PATH, FOLDER, readFacts, type Facts } from './facts.ts';
import { inspect, requireSound } from './inspection.ts';

/** `/database/<file>`, cut at its pages, and the facts. */
export async function* capture(
  original: string,
  acceptDamage: boolean,
  io: SourceIo,
  { type, origin, since }: CaptureOptions,
): AsyncGenerator<Entry> {
  await using copy = await copyOf(original, io);
  const inspection = await inspect(copy.file, io);
  requireSound(original, inspection, io.report, acceptDamage);

  const about = { type, ...(origin && { origin }) };
  const facts: Facts = { format: 1, kind: 'sqlite', ...about, ...copy.facts, ...inspection.facts };
  const { bytes, pageBytes } = facts;
  const path = `${FOLDER}/${facts.file}`;
  const before = await new ParentBlocks(since, pageBytes).blockOf(path);
  const cut = { block: before ?? chooseBlock(bytes, bytes, pageBytes) };
  const { metadata } = copy;
  yield { kind: 'directory', path: FOLDER, metadata: { ...metadata, mode: 0o700 } };
  yield { kind: 'file', path, metadata, content: copy.bytes(), cut };
  yield { kind: 'file', path: FACTS_PATH, metadata: { ...metadata, mode: 0o600 }, content: [encodeFacts(facts)] };
}

/** The database itself, as any SQLite opens it. */
export async function* portable(original: string, acceptDamage: boolean, io: SourceIo): AsyncGenerator<PortableFile> {
  await using copy = await copyOf(original, io);
  const inspection = await inspect(copy.file, io);
  requireSound(original, inspection, io.report, acceptDamage);
  yield portableFile(original, inspection.facts, copy.bytes());
}

/** The same of a snapshot. */
export async function* portableOf(snapshot: ReadableSnapshot): AsyncGenerator<PortableFile> {
  const facts = await readFacts(snapshot);
  const content = repeatable(() => snapshot.stream(`${FOLDER}/${facts.file}`));
  yield portableFile(facts.original, facts, content);
}

function portableFile(
  original: string,
  { sqliteVersion, userVersion }: Pick<Facts, 'sqliteVersion' | 'userVersion'>,
  content: AsyncIterable<Uint8Array>,
): PortableFile {
  const { base, name } = parse(original);
  return {
    name,
    extension: 'sqlite',
    content,
    about: () => ({
      versions: { SQLite: sqliteVersion },
      facts: { userVersion: String(userVersion) },
      restoreCommand: `cat > ${shellWord(base)}`,
    }),
  };
}
