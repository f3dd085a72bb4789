/**
 * Counter mode and Poly1305 where OpenSSL cannot be called directly. The counter mode is put together from long-lived
 * AES-ECB objects, since a new cipher object per message costs more than encrypting a small blob.
 */
import { createCipheriv, type Cipheriv } from 'node:crypto';
import { createKernel } from '../kernel/kernel.ts';
import { release } from '../workers/release.ts';
import type { Cipher, RepositoryKey } from './cipher.ts';

const BLOCK = 16;
/** Messages are worked on in pieces of this many bytes, which stay in the processor's cache. */
const PIECE = 64 * 1024;

export class WasmCipher implements Cipher {
  readonly #kernel = createKernel(2 * PIECE + 4 * BLOCK);
  readonly #memory = this.#kernel.memory;
  readonly #r = this.#kernel.base;
  readonly #s = this.#r + BLOCK;
  readonly #counter = this.#s + BLOCK;
  readonly #tag = this.#counter + BLOCK;
  readonly #text = this.#tag + BLOCK;
  readonly #stream = this.#text + PIECE;
  readonly #encrypt: Cipheriv;
  readonly #mask: Cipheriv;

  constructor(key: RepositoryKey) {
    this.#encrypt = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#mask = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#memory.set(key.macR, this.#r);
  }

  crypt(iv: Uint8Array, input: Uint8Array, output: Uint8Array): void {
    this.#memory.set(iv, this.#counter);
    for (let at = 0; at < input.length; at += PIECE) {
      const length = Math.min(PIECE, input.length - at);
      this.#memory.set(input.subarray(at, at + length), this.#text);
      this.#xorStream(length);
      output.set(this.#memory.subarray(this.#text, this.#text + length), at);
    }
  }

  authenticate(iv: Uint8Array, message: Uint8Array, tag: Uint8Array): void {
    const { run } = this.#kernel;
    this.#memory.set(this.#mask.update(iv), this.#s);
    run.poly1305Begin(this.#r);
    let at = 0;
    for (; message.length - at > PIECE; at += PIECE) {
      this.#memory.set(message.subarray(at, at + PIECE), this.#text);
      run.poly1305Blocks(this.#text, PIECE);
    }
    this.#memory.set(message.subarray(at), this.#text);
    run.poly1305End(this.#text, message.length - at, this.#s, this.#tag);
    tag.set(this.#memory.subarray(this.#tag, this.#tag + BLOCK));
  }

  /** The next `length` bytes of the message, which are in the scratch; all but the last are whole pieces. */
  #xorStream(length: number): void {
    const { run } = this.#kernel;
    const count = Math.ceil(length / BLOCK);
    run.counters(this.#counter, this.#stream, count);
    const stream = this.#encrypt.update(this.#memory.subarray(this.#stream, this.#stream + count * BLOCK));
    this.#memory.set(stream, this.#stream);
    // Whole pieces come by the thousand: left to the collector, they pile up to tens of megabytes.
    if (stream.length === PIECE) release(stream);
    run.xor(this.#text, this.#stream, length);
  }
}
