import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { ReadStore } from '../stores/store.ts';
import type { Sum } from './archive.ts';
import { Checksum } from './checksum.ts';

/** Bytes that are asked of a store at a time. */
const PIECE = 8 * 1024 * 1024;

/** An object, piece by piece; the next one is on its way while the last is used. */
async function* piecesOf(store: ReadStore, key: string, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const read = (offset: number): Promise<Uint8Array> | undefined => {
    if (offset >= size) return undefined;
    const piece = store.read(key, { offset, length: Math.min(PIECE, size - offset) }, signal);
    // Who does not come to it does not hear of its failure.
    piece.catch(() => undefined);
    return piece;
  };
  let next = read(0);
  for (let offset = 0; next !== undefined; offset += PIECE) {
    const piece = await next;
    throwIfAborted(signal);
    next = read(offset + PIECE);
    yield piece;
  }
}

/** An object that is known to be of these bytes. @throws RespaldoError `source-damaged` at its end if it is not */
export async function* sameBytes(
  store: ReadStore,
  key: string,
  expected: Sum,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { size } = await store.stat(key, signal);
  if (size !== expected.bytes)
    throw changed(store, key, `it has ${String(size)} bytes, and had ${String(expected.bytes)} when it was written`);
  const sum = new Checksum();
  yield* sum.of(piecesOf(store, key, size, signal));
  const { sha256 } = sum.end();
  if (sha256 !== expected.sha256) throw changed(store, key, 'its SHA-256 is not the one of its manifest');
}

function changed({ location }: ReadStore, key: string, why: string): RespaldoError {
  return new RespaldoError('source-damaged', `${key} in ${location} is damaged: ${why}`, {
    hint: 'Use another copy of it, or an older file.',
  });
}
