/**
 * restic's authenticated encryption: AES-256-CTR, then Poly1305-AES over the ciphertext.
 *
 * A sealed message is IV (16 bytes) ‖ ciphertext ‖ MAC (16 bytes). The IV is random for every message.
 */
import { createCipheriv, randomBytes, randomFillSync, timingSafeEqual, type Cipheriv } from 'node:crypto';
import { RespaldoError } from '../../errors.ts';
import { createKernel } from '../kernel/kernel.ts';
import { release } from '../workers/release.ts';

/** The repository's master key; plain data, so that it can be sent to worker threads. */
export interface RepositoryKey {
  /** AES-256 key, 32 bytes. */
  readonly encrypt: Uint8Array;
  /** AES-128 key that masks the MAC, 16 bytes. */
  readonly macK: Uint8Array;
  /** Poly1305 key, 16 bytes; the bits that Poly1305 wants cleared may be set. */
  readonly macR: Uint8Array;
}

/** Bytes that sealing adds: IV and MAC. */
export const SEAL_OVERHEAD = 32;

const BLOCK = 16;
const IV = 16;
const MAC = 16;
/** Messages are worked on in pieces of this many bytes, which stay in the processor's cache. */
const PIECE = 64 * 1024;
/** IVs drawn from the system's generator at a time. */
const POOLED_IVS = 512;

export function generateKey(): RepositoryKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: clamp(randomBytes(16)) };
}

/**
 * Seals and opens messages under one key: one per thread, for it keeps scratch memory and cipher objects.
 *
 * The counter mode is put together here from long-lived AES-ECB objects, since a new cipher object per message costs
 * more than encrypting a small blob.
 */
export class Sealer {
  readonly #kernel = createKernel(2 * PIECE + 4 * BLOCK);
  readonly #memory = this.#kernel.memory;
  readonly #r = this.#kernel.base;
  readonly #s = this.#r + BLOCK;
  readonly #counter = this.#s + BLOCK;
  readonly #tag = this.#counter + BLOCK;
  readonly #text = this.#tag + BLOCK;
  readonly #stream = this.#text + PIECE;
  readonly #macBytes = this.#memory.subarray(this.#tag, this.#tag + MAC);
  readonly #encrypt: Cipheriv;
  readonly #mask: Cipheriv;
  readonly #ivs = new Uint8Array(POOLED_IVS * IV);
  #nextIv = this.#ivs.length;

  constructor(key: RepositoryKey) {
    this.#encrypt = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#mask = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#memory.set(key.macR, this.#r);
  }

  seal(plain: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plain.length + SEAL_OVERHEAD);
    this.sealInto(plain, sealed, 0);
    return sealed;
  }

  /** Writes the sealed message at `offset`. @returns bytes written: `plain.length + SEAL_OVERHEAD`. */
  sealInto(plain: Uint8Array, target: Uint8Array, offset: number): number {
    const iv = this.#freshIv();
    target.set(iv, offset);
    this.#begin(iv);
    const body = offset + IV;
    for (let at = 0; at < plain.length; at += PIECE) {
      const length = Math.min(PIECE, plain.length - at);
      this.#memory.set(plain.subarray(at, at + length), this.#text);
      this.#cipher(length);
      if (at + length < plain.length) this.#kernel.run.poly1305Blocks(this.#text, length);
      else this.#end(length);
      target.set(this.#memory.subarray(this.#text, this.#text + length), body + at);
    }
    if (plain.length === 0) this.#end(0);
    target.set(this.#macBytes, body + plain.length);
    return plain.length + SEAL_OVERHEAD;
  }

  /** @throws RespaldoError `repository-damaged` if the message is not one that this key sealed. */
  open(sealed: Uint8Array): Uint8Array {
    if (sealed.length < SEAL_OVERHEAD)
      throw damaged(`it has ${String(sealed.length)} bytes, fewer than any sealed data`);
    const iv = sealed.subarray(0, IV);
    const body = sealed.subarray(IV, sealed.length - MAC);
    this.#authenticate(iv, body, sealed.subarray(sealed.length - MAC));
    const plain = new Uint8Array(body.length);
    for (let at = 0; at < body.length; at += PIECE) {
      const length = Math.min(PIECE, body.length - at);
      this.#memory.set(body.subarray(at, at + length), this.#text);
      this.#cipher(length);
      plain.set(this.#memory.subarray(this.#text, this.#text + length), at);
    }
    return plain;
  }

  #authenticate(iv: Uint8Array, body: Uint8Array, mac: Uint8Array): void {
    this.#begin(iv);
    const { run } = this.#kernel;
    let at = 0;
    for (; body.length - at > PIECE; at += PIECE) {
      this.#memory.set(body.subarray(at, at + PIECE), this.#text);
      run.poly1305Blocks(this.#text, PIECE);
    }
    this.#memory.set(body.subarray(at), this.#text);
    this.#end(body.length - at);
    if (!timingSafeEqual(this.#macBytes, mac)) throw damaged('its authentication code does not match');
  }

  /** Starts a message: authentication under r, and the counter at the IV. */
  #begin(iv: Uint8Array): void {
    this.#memory.set(iv, this.#counter);
    this.#memory.set(this.#mask.update(iv), this.#s);
    this.#kernel.run.poly1305Begin(this.#r);
  }

  /** Authenticates the last `length` bytes of the message, which lie in the scratch. */
  #end(length: number): void {
    this.#kernel.run.poly1305End(this.#text, length, this.#s, this.#tag);
  }

  /** Encrypts or decrypts the next `length` bytes of the message in the scratch; all but the last are whole pieces. */
  #cipher(length: number): void {
    const { run } = this.#kernel;
    const count = Math.ceil(length / BLOCK);
    run.counters(this.#counter, this.#stream, count);
    const stream = this.#encrypt.update(this.#memory.subarray(this.#stream, this.#stream + count * BLOCK));
    this.#memory.set(stream, this.#stream);
    // Whole pieces come by the thousand: left to the collector, they pile up to tens of megabytes.
    if (stream.length === PIECE) release(stream);
    run.xor(this.#text, this.#stream, length);
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
