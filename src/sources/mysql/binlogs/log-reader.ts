/** Events of a log as it is stored. */
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { FIRST } from './event.ts';
import { BinlogReader, type PlacedEvent } from './reader.ts';
import type { Leg, Walk } from './walk.ts';

/** All of them, from the beginning of the first file. @throws RespaldoError `source-damaged`, and the repository's */
export async function* storedEvents({ legs }: Pick<Walk<ReadableSnapshot>, 'legs'>): AsyncGenerator<PlacedEvent> {
  const [first] = legs;
  if (first === undefined) return;
  const names = [...new Set(legs.map(({ part }) => part.file))];
  const reader = new BinlogReader({ file: first.part.file, offset: FIRST }, 'the stored log', names);
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

async function* contentOf({ snapshot, part, skip }: Leg<ReadableSnapshot>): AsyncGenerator<Uint8Array> {
  let left = skip;
  for await (const piece of snapshot.stream(part.path)) {
    const rest = piece.subarray(Math.min(left, piece.length));
    left -= piece.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
