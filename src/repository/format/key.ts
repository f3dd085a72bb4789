/** Key files: the repository's master key, sealed under a key that scrypt derives from a password. */
import { type BinaryLike, randomBytes, scrypt as opensslScrypt, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { isError, RespaldoError } from '../../errors.ts';
import { loadDiscard } from '../kernel/discard.ts';
import { mixerMemory, type ScryptCost } from '../kernel/lane-mixer.ts';
import { scrypt } from '../kernel/scrypt.ts';
import type { Lend } from '../kernel/shared-lanes.ts';
import type { RepositoryKey } from './cipher.ts';
import { Sealer } from './crypto.ts';
import { formatTime } from './time.ts';

export type KeyDerivation = ScryptCost;

/** Whose key it is. */
export interface KeyOwner {
  readonly username: string;
  readonly hostname: string;
}

/** What restic's own calibration comes to. */
const DEFAULT_DERIVATION: KeyDerivation = { N: 32768, r: 8, p: 5 };

const SALT_BYTES = 64;
/** Derived from the password: a key for AES-256 and two for Poly1305. */
const KEY_BYTES = 64;
/** For the quicker way, which takes three times as much: the usual key needs 96 MiB there. */
const MAX_QUICK_MEMORY = 112 * 1024 * 1024;
/** A key file is not authenticated until it is opened: a forged one must not take all memory, or hours. */
const MAX_MEMORY = 1024 * 1024 * 1024;
/** Of N·r·p: some hundred times what is usual, about half a minute. */
const MAX_COST = 2 ** 27;

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const fileSchema = z.object({
  created: z.string(),
  username: z.string(),
  hostname: z.string(),
  kdf: z.literal('scrypt'),
  N: z.int().min(2),
  r: z.int().min(1),
  p: z.int().min(1),
  salt: base64,
  data: base64,
});

function bytes(length: number) {
  return base64.refine((value) => value.length === length && value.some((byte) => byte !== 0));
}

const masterSchema = z.object({ mac: z.object({ k: bytes(16), r: bytes(16) }), encrypt: bytes(32) });

/** A new key file; its id is the hash of these bytes. */
export async function createKeyFile(
  key: RepositoryKey,
  password: string,
  about: KeyOwner & { readonly created: Date },
  derivation: KeyDerivation = DEFAULT_DERIVATION,
): Promise<Uint8Array> {
  const salt = randomBytes(SALT_BYTES);
  const user = await deriveKey(password, salt, derivation);
  const master = { mac: { k: encode(key.macK), r: encode(key.macR) }, encrypt: encode(key.encrypt) };
  const file = {
    created: formatTime(BigInt(about.created.getTime()) * 1_000_000n),
    username: about.username,
    hostname: about.hostname,
    kdf: 'scrypt',
    N: derivation.N,
    r: derivation.r,
    p: derivation.p,
    salt: encode(salt),
    data: encode(new Sealer(user).seal(Buffer.from(JSON.stringify(master)))),
  };
  return Buffer.from(JSON.stringify(file));
}

/**
 * The master key, or undefined if the password is not this key's.
 * @param lend another thread, for a part of the work
 * @throws RespaldoError `repository-damaged` for what is not a key file.
 */
export async function openKeyFile(file: Uint8Array, password: string, lend?: Lend): Promise<RepositoryKey | undefined> {
  const { N, r, p, salt, data } = parse(file);
  const master = openMaster(new Sealer(await deriveKey(password, salt, { N, r, p }, lend)), data);
  if (master === undefined) return undefined;
  try {
    const { mac, encrypt } = masterSchema.parse(JSON.parse(Buffer.from(master).toString()));
    return { encrypt, macK: mac.k, macR: mac.r };
  } catch (cause) {
    throw damaged('the key in it is incomplete', cause);
  }
}

/** What a key file tells without a password. `created` is RFC 3339, as stored. */
export function describeKeyFile(file: Uint8Array): KeyOwner & { readonly created: string } {
  const { username, hostname, created } = parse(file);
  return { username, hostname, created };
}

function openMaster(sealer: Sealer, data: Uint8Array): Uint8Array | undefined {
  try {
    return sealer.open(data);
  } catch (error) {
    // The only proof of the password is that the authentication code matches.
    if (isError(error, 'repository-damaged')) return undefined;
    throw error;
  }
}

function parse(file: Uint8Array): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(Buffer.from(file).toString()));
  } catch (cause) {
    throw damaged('its content is not what a key file holds', cause);
  }
}

async function deriveKey(
  password: string,
  salt: Uint8Array,
  { N, r, p }: KeyDerivation,
  lend?: Lend,
): Promise<RepositoryKey> {
  const memory = 128 * r * Math.max(N, p);
  if (memory > MAX_MEMORY || N * r * p > MAX_COST || (N & (N - 1)) !== 0)
    throw damaged('its scrypt parameters are unusable');
  try {
    const derived = await derive(password, salt, { N, r, p }, memory, lend);
    return { encrypt: derived.subarray(0, 32), macK: derived.subarray(32, 48), macR: derived.subarray(48, 64) };
  } catch (error) {
    throw damaged('its scrypt parameters are unusable', error);
  }
}

/** @param memory bytes that OpenSSL needs for it */
async function derive(
  password: string,
  salt: Uint8Array,
  cost: ScryptCost,
  memory: number,
  lend?: Lend,
): Promise<Buffer> {
  const discard = mixerMemory(cost) <= MAX_QUICK_MEMORY ? loadDiscard() : undefined;
  if (discard !== undefined) {
    try {
      return await scrypt(password, salt, KEY_BYTES, cost, { discard, lend });
    } catch {
      // No memory for it, or a processor without vectors.
    }
  }
  const options = { ...cost, maxmem: 2 * memory + 1024 * 1024 };
  return promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(opensslScrypt)(
    password,
    salt,
    KEY_BYTES,
    options,
  );
}

function encode(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function damaged(why: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `a key file is damaged: ${why}`, {
    hint: 'Another key of the repository, or a copy of this one, may still open it.',
    cause,
  });
}
