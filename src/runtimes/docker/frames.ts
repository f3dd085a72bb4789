import { RespaldoError } from '../../errors.ts';
import type { OutputPiece } from '../container/exec.ts';

/** A header is the number of the stream, three zeros, and the length as a big-endian number of 32 bits. */
const HEADER = 8;

/**
 * Takes apart what an engine sends of a program without a terminal. What comes of standard output in one chunk is one
 * piece, moved together within the chunk: programs that write little at a time have a header for every few bytes.
 * @param stream its chunks are overwritten.
 * @throws RespaldoError `source-lost` if it ends within a frame, or is no such stream.
 */
export async function* demultiplexed(stream: AsyncIterable<Uint8Array>): AsyncGenerator<OutputPiece> {
  const frames = new Frames();
  for await (const chunk of stream) yield* frames.take(chunk);
  if (!frames.whole) throw broken('the connection ended in the middle of the output');
}

/** What is known of the frame that is just coming. */
class Frames {
  #header = Buffer.alloc(0);
  #from: OutputPiece['from'] = 'stdout';
  #left = 0;

  get whole(): boolean {
    return this.#left === 0 && this.#header.length === 0;
  }

  take(chunk: Uint8Array): OutputPiece[] {
    const pieces: OutputPiece[] = [];
    let moved = 0;
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        at += this.#takeHeader(chunk.subarray(at, at + HEADER - this.#header.length));
        continue;
      }
      const end = Math.min(at + this.#left, chunk.length);
      if (this.#from === 'stdout') {
        chunk.copyWithin(moved, at, end);
        moved += end - at;
      } else {
        pieces.push({ from: 'stderr', bytes: Buffer.from(chunk.subarray(at, end)) });
      }
      this.#left -= end - at;
      at = end;
    }
    if (moved > 0) pieces.push({ from: 'stdout', bytes: chunk.subarray(0, moved) });
    return pieces;
  }

  /** @returns how many bytes of it these were. */
  #takeHeader(part: Uint8Array): number {
    const header = Buffer.concat([this.#header, part]);
    this.#header = header.length < HEADER ? header : Buffer.alloc(0);
    if (header.length === HEADER) {
      this.#from = streamOf(header);
      this.#left = header.readUInt32BE(4);
    }
    return part.length;
  }
}

function streamOf(header: Buffer): OutputPiece['from'] {
  const number = header[0];
  if (header.readUIntBE(1, 3) === 0) {
    if (number === 1) return 'stdout';
    // 0 is what an engine itself says; it belongs where errors are.
    if (number === 0 || number === 2) return 'stderr';
  }
  throw broken('it sent what is no output of a program');
}

function broken(what: string): RespaldoError {
  return new RespaldoError('source-lost', `the container engine: ${what}`);
}
