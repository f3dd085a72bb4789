/** The binary log since the last time, once. */
import type { Entry } from '../../../domain/entry.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import type { CaptureOptions, SourceIo } from '../../source.ts';
import type { MysqlAddress } from '../address.ts';
import { downloadFiles } from './download.ts';
import { chainBroken, chainOf, factsEntry, factsOf, folderEntry } from './entries.ts';
import { MAGIC } from './event.ts';
import { findBinlogFacts } from './facts.ts';
import { BinlogReader, type PlacedEvent } from './reader.ts';
import { findStart, type Start } from './resume.ts';
import { partPath, Stretch } from './stretch.ts';
import { surveyLog, type LogSurvey } from './survey.ts';

/**
 * Everything that the server has logged since the last stretch: `/binlogs/…`, and `/respaldo.json` last. A new file is
 * begun before, where the account may; else the file that is being written is stored as far as it goes.
 */
export async function* captureBinlogs(
  address: MysqlAddress,
  given: string | undefined,
  io: SourceIo,
  options: CaptureOptions,
): AsyncGenerator<Entry> {
  const log = await surveyLog(address, given, io, true);
  const start = await findStart(options.previous && (await findBinlogFacts(options.previous)), log);
  if (start.broken !== undefined) io.report(chainBroken(start.broken));
  const stretch = new Stretch(start.at, start.before);
  yield folderEntry();
  const files = filesToRead(log, start);
  io.expect(files.reduce((sum, { bytes }) => sum + bytes, -start.at.offset));
  if (files.length > 0)
    yield* fileEntries(
      log,
      start,
      files.map(({ name }) => name),
      stretch,
    );
  yield factsEntry(await factsOf(stretch, chainOf(start), log, options));
}

/** From where the stretch begins to the last closed file, or to the end where no file could be closed. */
export function filesToRead({ files, mayFlush }: LogSurvey, { at }: Start): LogSurvey['files'] {
  const first = files.findIndex(({ name }) => name === at.file);
  const wanted = files.slice(first, mayFlush ? -1 : undefined);
  return wanted.filter(({ name, bytes }) => name !== at.file || bytes > at.offset);
}

async function* fileEntries(
  { tools }: LogSurvey,
  { at }: Start,
  names: readonly string[],
  stretch: Stretch,
): AsyncGenerator<Entry> {
  const first = { file: names[0] ?? at.file, offset: names[0] === at.file ? at.offset : MAGIC.length };
  const reader = new BinlogReader(first, tools.server, names);
  const events = placedEvents(reader, downloadFiles(tools, first, names));
  let held = await next(events);
  while (held !== undefined) {
    const { file, from } = held;
    const begin = held;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      if (from === MAGIC.length) yield Buffer.from(MAGIC);
      for (held = begin; held?.file === file; held = await next(events)) {
        stretch.add(held);
        yield held.event.bytes;
      }
    };
    yield { kind: 'file', path: partPath(file, from), metadata: dumpMetadata(), content: content() };
  }
}

async function* placedEvents(reader: BinlogReader, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<PlacedEvent> {
  for await (const piece of bytes) yield* reader.push(piece);
  reader.end();
}

async function next(events: AsyncGenerator<PlacedEvent>): Promise<PlacedEvent | undefined> {
  const result = await events.next();
  return result.done === true ? undefined : result.value;
}
