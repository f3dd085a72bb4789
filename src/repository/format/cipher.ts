import type { RepositoryKey } from './crypto.ts';
import { loadOpenssl } from './openssl.ts';
import { WasmCipher } from './wasm-cipher.ts';

/** The two primitives of restic's sealing, under one key. Belongs to one thread. */
export interface Cipher {
  /**
   * AES-256 in counter mode, the counter beginning at `iv` (16 bytes): encrypts, or decrypts, `input` into `output`, which
   * is as long and lies elsewhere.
   */
  crypt(iv: Uint8Array, input: Uint8Array, output: Uint8Array): void;
  /** Writes the message's Poly1305-AES under the nonce `iv` into the 16 bytes of `tag`. */
  authenticate(iv: Uint8Array, message: Uint8Array, tag: Uint8Array): void;
}

/** The fastest there is here. */
export function createCipher(key: RepositoryKey): Cipher {
  return loadOpenssl()?.(key) ?? new WasmCipher(key);
}
