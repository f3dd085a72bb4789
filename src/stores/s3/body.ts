import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';

import { abortError, throwIfAborted } from '../../errors.ts';

/** No object that is read whole is larger. Bytes. */
const LARGEST = 2 ** 32;

/**
 * The bytes of an answer, in a buffer of their own. Fewer than `wanted` only if the answer said so before.
 * @param wanted how many bytes were asked for; absent: all.
 * @throws what breaks the line, or an Error where the server sends something else.
 */
export async function readBody(
  { Body, ContentLength: promised }: GetObjectCommandOutput,
  wanted: number | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stream = Body as Readable | undefined;
  if (stream === undefined || promised === undefined || promised > (wanted ?? LARGEST)) {
    stream?.destroy();
    const asked = wanted === undefined ? 'a whole object' : `${wanted} bytes`;
    throw new Error(
      `the server was asked for ${asked}, and means to send ${promised ?? 'nobody knows how many'} bytes`,
    );
  }
  const quit = () => stream.destroy(abortError(signal));
  signal.addEventListener('abort', quit, { once: true });
  try {
    throwIfAborted(signal);
    return await fill(new Uint8Array(promised), stream);
  } finally {
    signal.removeEventListener('abort', quit);
    stream.destroy();
  }
}

async function fill(bytes: Uint8Array, stream: Readable): Promise<Uint8Array> {
  let length = 0;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    if (length + piece.length > bytes.length) break;
    bytes.set(piece, length);
    length += piece.length;
  }
  if (length === bytes.length) return bytes;
  throw new Error(`the answer broke off after ${length} of ${bytes.length} bytes`);
}
