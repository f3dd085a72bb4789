/**
 * restic's authenticated encryption: AES-256-CTR, then Poly1305-AES over the ciphertext.
 *
 * A sealed message is IV (16 bytes) ‖ ciphertext ‖ MAC (16 bytes). The IV is random for every message.
 */
import { randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto';
import { RespaldoError } from '../../errors.ts';
import type { Cipher, RepositoryKey } from './cipher.ts';
import { loadOpenssl } from './openssl.ts';
import { WasmCipher } from './wasm-cipher.ts';

/** Bytes that sealing adds: IV and MAC. */
export const SEAL_OVERHEAD = 32;

const IV = 16;
const MAC = 16;
/** IVs drawn from the system's generator at a time. */
const POOLED_IVS = 512;

export function generateKey(): RepositoryKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: clamp(randomBytes(16)) };
}

/** Seals and opens messages under one key: one per thread, for it keeps scratch memory and contexts. */
export class Sealer {
  readonly #cipher: Cipher;
  readonly #mac = new Uint8Array(MAC);
  readonly #ivs = new Uint8Array(POOLED_IVS * IV);
  #nextIv = this.#ivs.length;

  constructor(key: RepositoryKey) {
    this.#cipher = loadOpenssl()?.(key) ?? new WasmCipher(key);
  }

  seal(plain: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plain.length + SEAL_OVERHEAD);
    this.sealInto(plain, sealed, 0);
    return sealed;
  }

  /** Writes the sealed message at `offset`. @returns bytes written: `plain.length + SEAL_OVERHEAD`. */
  sealInto(plain: Uint8Array, target: Uint8Array, offset: number): number {
    const iv = this.#freshIv();
    const body = target.subarray(offset + IV, offset + IV + plain.length);
    target.set(iv, offset);
    this.#cipher.crypt(iv, plain, body);
    this.#cipher.authenticate(iv, body, this.#mac);
    target.set(this.#mac, offset + IV + plain.length);
    return plain.length + SEAL_OVERHEAD;
  }

  /** @throws RespaldoError `repository-damaged` if the message is not one that this key sealed. */
  open(sealed: Uint8Array): Uint8Array {
    return this.openInto(sealed, new Uint8Array(Math.max(0, sealed.length - SEAL_OVERHEAD)));
  }

  /**
   * The same with the content in `room`, which has space for it.
   * @returns the part of `room` that holds the content
   */
  openInto(sealed: Uint8Array, room: Uint8Array): Uint8Array {
    if (sealed.length < SEAL_OVERHEAD)
      throw damaged(`it has ${String(sealed.length)} bytes, fewer than any sealed data`);
    const iv = sealed.subarray(0, IV);
    const body = sealed.subarray(IV, sealed.length - MAC);
    this.#cipher.authenticate(iv, body, this.#mac);
    if (!timingSafeEqual(this.#mac, sealed.subarray(sealed.length - MAC)))
      throw damaged('its authentication code does not match');
    if (room.length < body.length) throw new RangeError('no room for what was sealed');
    const plain = room.subarray(0, body.length);
    this.#cipher.crypt(iv, body, plain);
    return plain;
  }

  /** Random, never used twice, and never all zero (restic refuses that one as a sign of a broken generator). */
  #freshIv(): Uint8Array {
    if (this.#nextIv === this.#ivs.length) {
      randomFillSync(this.#ivs);
      this.#nextIv = 0;
    }
    const iv = this.#ivs.subarray(this.#nextIv, this.#nextIv + IV);
    this.#nextIv += IV;
    return iv.every((byte) => byte === 0) ? this.#freshIv() : iv;
  }
}

/** Clears the bits of r that Poly1305 ignores, as restic's own keys have them. */
function clamp(r: Uint8Array): Uint8Array {
  return r.map((byte, i) => byte & (i % 4 === 3 ? 0x0f : i % 4 === 0 && i > 0 ? 0xfc : 0xff));
}

function damaged(why: string): RespaldoError {
  return new RespaldoError('repository-damaged', `stored data cannot be opened: ${why}`, {
    hint: 'Run `respaldo check --read-data` to see everything that is affected.',
  });
}
