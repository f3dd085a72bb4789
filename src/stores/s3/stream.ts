/**
 * Content of a size that nobody knows, into one object. What fits into one part is one request; the rest goes in parts
 * that grow, so that the number of parts that servers allow is enough for the largest object that they allow.
 */
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';

import { Flight } from '../flight.ts';
import { Pulled } from '../pulled.ts';
import { ensureLock, type NewObject } from './lock.ts';
import { complete, inUpload, type Persist, sendPart, sendWhole, type Upload } from './parts.ts';
import type { SentSums } from './sums.ts';

const MIB = 1024 * 1024;
const FIRST_PART = 16 * MIB;
/** So many parts have the same size, and those after them twice that … */
const PARTS_OF_A_SIZE = 950;
/** … up to this. Bytes. */
const LARGEST_PART = 1024 * MIB;
/** What is held of parts that are on their way, unless a single one is larger. Bytes. */
const IN_FLIGHT = 128 * MIB;
const PARTS_AT_ONCE = 4;

/**
 * Parts are in memory and are sent again where that may help. Where it does not, those that were sent are removed, as
 * far as the server can be reached; what is left then is for `sweep`.
 * @param sums are told of each part, or of all where there are none
 * @returns how many bytes the object has, and whether it went in parts
 */
export async function writeStreamInParts(
  client: S3Client,
  object: NewObject,
  content: AsyncIterable<Uint8Array>,
  sums: SentSums,
  persist: Persist,
  signal: AbortSignal,
): Promise<{ readonly size: number; readonly isInParts: boolean }> {
  const flight = new Flight(signal);
  const pulled = new Pulled(content, flight.signal);
  const parts = cutIntoParts(pulled, sizeOfPart);
  try {
    const first = await parts.next();
    const second = await parts.next();
    const isInParts = first.done !== true && second.done !== true;
    if (isInParts) {
      const begun = [first.value, second.value];
      const work = (upload: Upload) => sendAll(client, upload, { begun, rest: parts, sums }, flight, persist);
      const version = await inUpload(client, object, signal, work, persist);
      await persist(() => ensureLock(client, object, version, signal), signal);
    } else {
      const bytes = first.done === true ? new Uint8Array() : first.value;
      sums.add(bytes);
      await persist(() => sendWhole(client, object, bytes, signal), signal);
    }
    return { size: pulled.size, isInParts };
  } catch (error) {
    throw pulled.causeOf(flight.causeOf(error));
  } finally {
    await parts.return(undefined);
  }
}

interface Parts {
  readonly begun: readonly Uint8Array[];
  readonly rest: AsyncIterable<Uint8Array>;
  readonly sums: SentSums;
}

async function sendAll(
  client: S3Client,
  upload: Upload,
  { begun, rest, sums }: Parts,
  flight: Flight,
  persist: Persist,
): Promise<string | undefined> {
  const { signal: abortSignal } = flight;
  const Parts: CompletedPart[] = [];
  let count = 0;
  const send = async (Body: Uint8Array): Promise<void> => {
    const PartNumber = ++count;
    sums.add(Body);
    const most = Math.max(1, Math.min(PARTS_AT_ONCE, Math.floor(IN_FLIGHT / Body.length)));
    await flight.begin(most, async () => {
      const request = () => sendPart(client, upload, PartNumber, Body, abortSignal);
      Parts[PartNumber - 1] = await persist(request, abortSignal);
    });
    // Not even the next one has room beside it.
    if (Body.length > IN_FLIGHT) await flight.landed();
  };
  try {
    for (const part of begun) await send(part);
    for await (const part of rest) await send(part);
    await flight.landed();
    return await persist(() => complete(client, upload, Parts, abortSignal), abortSignal);
  } finally {
    // A part that arrives after an upload was taken back may stay there.
    await flight.end();
  }
}

/** The size in bytes of the part with this number, from 0 on. */
export function sizeOfPart(number: number): number {
  return Math.min(LARGEST_PART, FIRST_PART * 2 ** Math.floor(number / PARTS_OF_A_SIZE));
}

/** All bytes in buffers of their own, each of the size that its number asks for, but for the last, which is not empty. */
export async function* cutIntoParts(
  content: AsyncIterable<Uint8Array>,
  sizeOf: (number: number) => number,
): AsyncGenerator<Uint8Array, undefined> {
  let number = 0;
  let part: Buffer | undefined;
  let filled = 0;
  for await (const piece of content) {
    for (let at = 0; at < piece.length;) {
      part ??= Buffer.allocUnsafeSlow(sizeOf(number));
      const taken = piece.subarray(at, at + part.length - filled);
      part.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < part.length) continue;
      yield part;
      number += 1;
      part = undefined;
      filled = 0;
    }
  }
  if (part !== undefined) yield part.subarray(0, filled);
  return undefined;
}
