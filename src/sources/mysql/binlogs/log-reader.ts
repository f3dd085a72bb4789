/** Events of a log as it is stored. */
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { FIRST } from './event.ts';
import { BinlogReader, type PlacedEvent } from './reader.ts';
import type { Leg, Walk } from './walk.ts';

/** What holds parts of a log, by their paths. */
export type LogHolder = Pick<ReadableSnapshot, 'stream'>;

/** All of them, from the beginning of the first part. @throws RespaldoError `source-damaged`, and the repository's */
export async function* storedEvents({ legs }: Pick<Walk<LogHolder>, 'legs'>): AsyncGenerator<PlacedEvent> {
  const [first] = legs;
  if (first === undefined) return;
  const { part, facts } = first;
  const names = [...new Set(legs.map((leg) => leg.part.file))];
  const start = { file: part.file, offset: Math.max(part.from, FIRST) };
  // Only the first part of a stretch can be the middle of a file.
  const format = part.from === 0 ? undefined : Buffer.from(facts.formatEvent ?? '', 'base64');
  const reader = new BinlogReader(start, 'the stored log', names, format);
  for (const leg of legs) {
    let bytes = 0;
    for await (const piece of contentOf(leg)) {
      bytes += piece.length;
      yield* reader.push(piece);
    }
    reader.requireAt(leg.part.file, leg.part.to, bytes > 0);
  }
  reader.end();
}

async function* contentOf({ snapshot, part, skip }: Leg<LogHolder>): AsyncGenerator<Uint8Array> {
  let left = skip;
  for await (const piece of snapshot.stream(part.path)) {
    const rest = piece.subarray(Math.min(left, piece.length));
    left -= piece.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
