/** The repository's config object: the first thing that is read, changed by a migration alone. */
import { z } from 'zod';
import { RespaldoError } from '../../errors.ts';
import type { Sealer } from './crypto.ts';
import { hasDegree, isIrreducible } from './polynomial.ts';

export interface RepositoryConfig {
  /** 2 allows compression. */
  readonly version: 1 | 2;
  /** 64 hexadecimal digits; not the hash of anything. */
  readonly id: string;
  /** Irreducible, of degree 53: decides where this repository's files are cut. */
  readonly polynomial: bigint;
}

const schema = z.object({
  version: z.int(),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  chunker_polynomial: z.string().regex(/^[0-9a-f]{1,16}$/i),
});

/** The bytes to seal and store uncompressed, in both versions. */
export function encodeConfig(config: RepositoryConfig): Uint8Array {
  const { version, id, polynomial } = config;
  return Buffer.from(JSON.stringify({ version, id, chunker_polynomial: polynomial.toString(16) }));
}

/**
 * The config of its stored bytes.
 * @throws RespaldoError `repository-damaged`, `repository-unsupported`
 */
export function openConfig(sealed: Uint8Array, sealer: Sealer): RepositoryConfig {
  let json: Uint8Array;
  try {
    json = sealer.open(sealed);
  } catch (error) {
    throw new RespaldoError('repository-damaged', 'the config is damaged, or belongs to another repository', {
      hint: 'Restore the file `config` from a copy of the repository.',
      cause: error,
    });
  }
  return parseConfig(json);
}

/** @throws RespaldoError `repository-unsupported` for an unknown version, `repository-damaged` for anything else. */
export function parseConfig(json: Uint8Array): RepositoryConfig {
  const { version, id, chunker_polynomial: digits } = parseFields(json);
  if (version !== 1 && version !== 2) {
    throw new RespaldoError('repository-unsupported', `the repository has format version ${String(version)}`, {
      hint: 'Versions 1 and 2 can be read: a newer Respaldo may know this one.',
    });
  }
  const polynomial = BigInt(`0x${digits}`);
  if (!hasDegree(polynomial) || !isIrreducible(polynomial)) {
    throw damaged('its chunker polynomial is not an irreducible one of degree 53');
  }
  return { version, id, polynomial };
}

function parseFields(json: Uint8Array): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(json).toString()));
  } catch (cause) {
    throw damaged('its content is not what a config holds', cause);
  }
}

function damaged(why: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `the repository's config is damaged: ${why}`, {
    hint: 'Restore the file `config` from a copy of the repository.',
    cause,
  });
}
