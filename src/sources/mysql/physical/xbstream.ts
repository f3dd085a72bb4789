/**
 * xbstream, the format in which `mariadb-backup` sends files: chunks that each name their file, so that several may come
 * at once, and a last one for each file. Strict, since a stream that is cut short must never pass for a whole one.
 */
import { posix } from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteReader, TruncatedStream } from '../../../domain/byte-reader.ts';
import { decodeName } from '../../../domain/name.ts';
import { RespaldoError } from '../../../errors.ts';

export interface Chunk {
  /** Relative, without `./`, in the string form of `name.ts`. */
  readonly path: string;
  /** What comes next of the file, to be read before the next chunk is asked for; undefined: it has ended. */
  readonly payload: AsyncIterable<Buffer> | undefined;
  /** The chunk as it came, without its payload. */
  readonly header: Buffer;
}

/** Of 8 bytes, as the magic of a chunk is: what follows is told by whoever ran the program, and is no part of the stream. */
export const TRAILER = 'RESPALDO';

export const MAGIC = 'XBSTCK01';
export const PAYLOAD = 'P'.charCodeAt(0);
export const END = 'E'.charCodeAt(0);
/** Behind the magic: flags, kind, and the length of the path. */
export const HEAD_BYTES = 6;
/** Behind the path of a payload: its length, its place in the file, its checksum. */
export const PAYLOAD_HEAD_BYTES = 20;
/** More than any file system takes. */
const LONGEST_PATH = 4096;
/** The trailer is a few lines. */
const LONGEST_TRAILER = 1024 * 1024;

/** A payload that is being read, by whomever. */
interface Passage {
  readonly path: string;
  left: number;
  checksum: number;
}

/** One stream, read once. */
export class XbStream {
  readonly #reader: ByteReader;
  /** Where each file that has not ended goes on. */
  readonly #open = new Map<string, number>();
  readonly #ended = new Set<string>();
  #trailer: string | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#reader = new ByteReader(bytes);
  }

  /** What was told behind the stream; undefined: nothing was, or not yet. */
  get trailer(): string | undefined {
    return this.#trailer;
  }

  /**
   * Ends normally only where every file has ended.
   * @throws RespaldoError `source-lost` for a stream that is cut short or malformed.
   */
  async *chunks(): AsyncGenerator<Chunk> {
    try {
      for (;;) {
        const magic = await this.#reader.exactly(MAGIC.length);
        if (magic === undefined) break;
        const word = magic.toString('latin1');
        if (word === TRAILER) {
          this.#trailer = await this.#rest();
          break;
        }
        if (word !== MAGIC) throw broken('something in it is no chunk');
        const { chunk, expected, passage } = await this.#chunk(Buffer.from(magic));
        yield chunk;
        for await (const _piece of this.#take(passage)) continue;
        if (passage.checksum !== expected) throw broken(`${chunk.path} was changed on its way`);
      }
    } catch (error) {
      throw error instanceof TruncatedStream ? broken('it ends within a chunk') : error;
    } finally {
      await this.#reader.close();
    }
    const [unfinished] = this.#open.keys();
    if (unfinished !== undefined) throw broken(`it ends within ${unfinished}`);
    if (this.#ended.size === 0) throw broken('it is empty');
  }

  /** @returns with what has to have passed when the next chunk begins */
  async #chunk(magic: Buffer): Promise<{ chunk: Chunk; passage: Passage; expected: number }> {
    const head = await this.#exactly(HEAD_BYTES);
    const length = head.readUInt32LE(2);
    if (length === 0 || length > LONGEST_PATH) throw broken('a chunk names no file');
    const rawPath = await this.#exactly(length);
    const path = requireInside(decodeName(rawPath));
    if (this.#ended.has(path)) throw broken(`${path} comes twice`);
    const start = Buffer.concat([magic, head, rawPath]);
    switch (head.readUInt8(1)) {
      case END:
        this.#open.delete(path);
        this.#ended.add(path);
        return {
          chunk: { path, payload: undefined, header: start },
          passage: { path, left: 0, checksum: 0 },
          expected: 0,
        };
      case PAYLOAD: {
        const about = await this.#exactly(PAYLOAD_HEAD_BYTES);
        const passage = { path, left: this.#goOn(path, about), checksum: 0 };
        const chunk = { path, payload: this.#take(passage), header: Buffer.concat([start, about]) };
        return { chunk, passage, expected: about.readUInt32LE(16) };
      }
      default:
        throw broken(`a chunk of ${path} is of an unknown kind`);
    }
  }

  /** @returns how many bytes follow */
  #goOn(path: string, about: Buffer): number {
    const length = Number(about.readBigUInt64LE(0));
    const offset = Number(about.readBigUInt64LE(8));
    const expected = this.#open.get(path) ?? 0;
    if (offset !== expected) throw broken(`${path} has a gap at ${String(expected)}`);
    if (!Number.isSafeInteger(offset + length)) throw broken(`a chunk of ${path} is too long`);
    this.#open.set(path, offset + length);
    return length;
  }

  async *#take(passage: Passage): AsyncGenerator<Buffer> {
    while (passage.left > 0) {
      const piece = await this.#reader.upTo(passage.left);
      if (piece.length === 0) throw broken(`it ends within ${passage.path}`);
      passage.left -= piece.length;
      passage.checksum = crc32(piece, passage.checksum);
      yield piece;
    }
  }

  async #exactly(length: number): Promise<Buffer> {
    const bytes = await this.#reader.exactly(length);
    if (bytes === undefined) throw new TruncatedStream(0, length);
    return bytes;
  }

  async #rest(): Promise<string> {
    const pieces: Buffer[] = [];
    for (let bytes = 0; ;) {
      const piece = await this.#reader.upTo(LONGEST_TRAILER);
      bytes += piece.length;
      if (bytes > LONGEST_TRAILER) throw broken('what follows it does not end');
      if (piece.length === 0) return Buffer.concat(pieces).toString('utf8');
      pieces.push(piece);
    }
  }
}

function requireInside(name: string): string {
  const path = posix.normalize(name);
  if (path.startsWith('/') || path === '.' || path.split('/').includes('..'))
    throw broken(`the name ${JSON.stringify(name)} leads out of it`);
  return path;
}

function broken(what: string): RespaldoError {
  return new RespaldoError('source-lost', `the stream of mariadb-backup is broken: ${what}`, {
    hint: 'Nothing was stored as a snapshot. Run the backup again.',
  });
}
