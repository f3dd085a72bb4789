import { RespaldoError } from '../errors.ts';
import type { PackingOptions } from '../repository/repository.ts';
import type { Environment } from './secrets.ts';

/** What the command line says. */
export interface PackingFlags {
  /** `--pack-size`, MiB */
  readonly packSize?: string;
  /** `--compression` */
  readonly compression?: string;
}

const MIB = 1024 * 1024;
/** MiB, as in restic: smaller packs are too many files, larger ones take too much memory. */
const SIZES = { least: 4, most: 128 };

/**
 * How new packs are made. The first that says so wins: the command line, `RESPALDO_PACK_SIZE` and `RESPALDO_COMPRESSION`,
 * restic's `RESTIC_PACK_SIZE` and `RESTIC_COMPRESSION`.
 * @throws RespaldoError `usage` for values that are none
 */
export function choosePacking(flags: PackingFlags, env: Environment): PackingOptions {
  const size = flags.packSize ?? (env['RESPALDO_PACK_SIZE'] || env['RESTIC_PACK_SIZE'] || undefined);
  const mode = flags.compression ?? (env['RESPALDO_COMPRESSION'] || env['RESTIC_COMPRESSION'] || undefined);
  return {
    ...(size !== undefined && { packBytes: parsePackSize(size) }),
    ...(mode !== undefined && { compression: parseCompression(mode) }),
  };
}

function parsePackSize(text: string): number {
  const size = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (size < SIZES.least || size > SIZES.most)
    throw new RespaldoError('usage', `the pack size ${JSON.stringify(text)} is no number from 4 to 128`, {
      hint: 'It counts MiB: --pack-size 64',
    });
  return size * MIB;
}

function parseCompression(text: string): NonNullable<PackingOptions['compression']> {
  if (text === 'off' || text === 'auto' || text === 'max') return text;
  throw new RespaldoError('usage', `the compression ${JSON.stringify(text)} is none of off, auto, max`, {
    hint: 'Leave it out for `auto`.',
  });
}
