import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Compression, CompressionName } from '../domain/archive.ts';
import { RespaldoError } from '../errors.ts';
import { compressedBlocks, gzipCompressor, pooled, zstdCompressor, type BlockCompressor } from './block-compressor.ts';
import { byBlocks, inParallel } from './blocks.ts';
import { filtered, filteredBytes, wasKilled, type FilterProgram } from './filter.ts';
import { gzipByContent } from './gzip-by-content.ts';
import { zstdFrames } from './zstd-frames.ts';

const zstdDecompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

const MIB = 1024 * 1024;
/** Larger blocks compress better, smaller ones keep all cores busy with less memory. What bzip2 sorts at once has 0.9 MB. */
const BLOCK = { gzip: MIB, zstd: 4 * MIB, bzip2: 9 * 900_000 };

/**
 * Content compressed on several cores. Where the format allows it, blocks are compressed apart and follow one another as
 * members or frames, which every reader of the format reads as one.
 * @param onTaken told of each piece of the content that is not needed any more, unless it is handed on as it is
 * @throws RespaldoError `tool-missing`, `command-failed`
 */
export function compressed(
  content: AsyncIterable<Uint8Array>,
  { name, level }: Compression,
  signal: AbortSignal,
  onTaken?: (piece: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  switch (name) {
    case 'none':
      return content;
    case 'gzip':
      return compressedBlocks(content, BLOCK.gzip, gzipFor(level), onTaken);
    case 'zstd':
      return compressedBlocks(content, BLOCK.zstd, zstdFor(level ?? 3), onTaken);
    case 'bzip2':
      return byBlocks(
        content,
        BLOCK.bzip2,
        (block) => filteredBytes(bzip2(`-${String(level ?? 9)}`), block, signal),
        onTaken,
      );
    case 'xz':
      return filtered(xz('--threads=0', `-${String(level ?? 6)}`), content, signal, onTaken);
  }
}

function gzipFor(level: number | undefined): BlockCompressor {
  return level === undefined ? gzipByContent() : pooled(() => gzipCompressor(level));
}

function zstdFor(level: number): BlockCompressor {
  return pooled(() => zstdCompressor(level, BLOCK.zstd));
}

/**
 * The plain content.
 * @throws RespaldoError `source-damaged` for what is not such content, or is cut short where that can be seen
 */
export async function* decompressed(
  content: AsyncIterable<Uint8Array>,
  name: CompressionName,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* plainPieces(content, name, signal);
  } catch (error) {
    throw asDamage(error, name);
  }
}

function plainPieces(
  content: AsyncIterable<Uint8Array>,
  name: CompressionName,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  switch (name) {
    case 'none':
      return content;
    case 'gzip':
      return gunzipped(content);
    case 'zstd':
      return inParallel(zstdFrames(content), (frame) => zstdDecompress(frame, { chunkSize: BLOCK.zstd }));
    case 'bzip2':
      return filtered(bzip2('--decompress'), content, signal);
    case 'xz':
      return filtered(xz('--decompress'), content, signal);
  }
}

/** How a person decompresses standard input. */
export function decompressCommand(name: CompressionName): string | undefined {
  const commands = { none: undefined, gzip: 'gunzip', bzip2: 'bunzip2', zstd: 'unzstd', xz: 'unxz' };
  return commands[name];
}

/** Leaving early lets whoever yields the content clean up. */
function gunzipped(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = Readable.from(content, { objectMode: false });
  return pipeline(source, zlib.createGunzip({ chunkSize: MIB }), () => undefined) as AsyncIterable<Uint8Array>;
}

function bzip2(option: string): FilterProgram {
  return { argv: ['bzip2', '--stdout', option], hint: hintFor('bzip2', option) };
}

function xz(...options: string[]): FilterProgram {
  return { argv: ['xz', '--stdout', ...options], hint: hintFor('xz-utils', ...options) };
}

function hintFor(debian: string, ...options: string[]): string {
  return `Install it (Debian: ${debian})${options.includes('--decompress') ? '' : ', or choose another compression'}.`;
}

/** Zlib's own errors, and a program that says no to its input. */
export function asDamage(error: unknown, name: CompressionName): unknown {
  if (!(error instanceof Error)) return error;
  const isAboutInput =
    error instanceof RespaldoError ? error.code === 'command-failed' && !wasKilled(error) : isFromZlib(error);
  if (!isAboutInput) return error;
  return new RespaldoError('source-damaged', `${name} cannot decompress it: ${error.message}`, { cause: error });
}

function isFromZlib(error: Error): boolean {
  return 'code' in error && /^(Z_|ZSTD_)/.test(String(error.code));
}
