import { RespaldoError } from '../../errors.ts';
import type { OutputPiece } from '../container/exec.ts';

/** A header is the number of the stream, three zeros, and the length as a big-endian number of 32 bits. */
const HEADER = 8;

/**
 * Takes apart what an engine sends of a program without a terminal. Pieces are handed on as they come, whole frames or
 * not, and are views of what came in.
 * @throws RespaldoError `source-lost` if it ends within a frame, or is no such stream.
 */
export async function* demultiplexed(stream: AsyncIterable<Uint8Array>): AsyncGenerator<OutputPiece> {
  let from: OutputPiece['from'] = 'stdout';
  let left = 0;
  let header = Buffer.alloc(0);
  for await (const chunk of stream) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const part = chunk.subarray(at, at + HEADER - header.length);
        header = Buffer.concat([header, part]);
        at += part.length;
        if (header.length < HEADER) break;
        from = streamOf(header);
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const bytes = chunk.subarray(at, at + left);
      at += bytes.length;
      left -= bytes.length;
      yield { from, bytes };
    }
  }
  if (left > 0 || header.length > 0) throw broken('the connection ended in the middle of the output');
}

function streamOf(header: Buffer): OutputPiece['from'] {
  const number = header[0];
  if (header.readUIntBE(1, 3) === 0) {
    // 0 is what an engine itself says; it arrives where errors do.
    if (number === 1) return 'stdout';
    if (number === 0 || number === 2) return 'stderr';
  }
  throw broken('it sent what is no output of a program');
}

function broken(what: string): RespaldoError {
  return new RespaldoError('source-lost', `the container engine: ${what}`);
}
