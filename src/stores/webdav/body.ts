import type { IncomingMessage } from 'node:http';

import { throwIfAborted } from '../../errors.ts';

/** No object that is read whole is larger. Bytes. */
const LARGEST = 2 ** 32;

/** All bytes of an answer, in a buffer of their own. @throws Error where it breaks off */
export async function readWhole(answer: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
  const promised = answer.headers['content-length'];
  if (promised === undefined) return new Uint8Array(Buffer.concat(await piecesOf(answer, signal)));
  const size = Number(promised);
  if (!(size <= LARGEST)) {
    answer.destroy();
    throw new Error(`the server means to send ${promised} bytes for a whole object`);
  }
  const bytes = new Uint8Array(size);
  const length = await fill(bytes, answer, 0, signal);
  if (length < size) throw new Error(`the answer broke off after ${length} of ${size} bytes`);
  return bytes;
}

/**
 * Part of an object, in a buffer of its own; fewer bytes than were asked for only where the object ends before. A
 * server may send all of it instead.
 */
export async function readRange(
  answer: IncomingMessage,
  { offset, length }: { readonly offset: number; readonly length: number },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const isPart = answer.statusCode === 206;
  const [, first] = /^bytes (\d+)-\d+\//.exec(answer.headers['content-range'] ?? '') ?? [];
  if (isPart && Number(first) !== offset) {
    answer.destroy();
    throw new Error('the server sends another part than it was asked for');
  }
  const filled = await fill(bytes, answer, isPart ? 0 : offset, signal);
  return filled === length ? bytes : bytes.slice(0, filled);
}

/** @param skip bytes of the answer that are left out. @returns how many bytes there were */
async function fill(bytes: Uint8Array, answer: IncomingMessage, skip: number, signal: AbortSignal): Promise<number> {
  let [rest, length] = [skip, 0];
  for await (const piece of answer as AsyncIterable<Uint8Array>) {
    throwIfAborted(signal);
    const wanted = piece.subarray(rest, rest + bytes.length - length);
    rest = Math.max(0, rest - piece.length);
    bytes.set(wanted, length);
    length += wanted.length;
    if (length === bytes.length && wanted.length < piece.length) break;
  }
  return length;
}

async function piecesOf(answer: IncomingMessage, signal: AbortSignal): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of answer as AsyncIterable<Uint8Array>) {
    throwIfAborted(signal);
    pieces.push(piece);
  }
  return pieces;
}
