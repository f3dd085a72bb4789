/** The repository's master key; plain data, so that it can be sent to worker threads. */
export interface RepositoryKey {
  /** AES-256 key, 32 bytes. */
  readonly encrypt: Uint8Array;
  /** AES-128 key that masks the MAC, 16 bytes. */
  readonly macK: Uint8Array;
  /** Poly1305 key, 16 bytes; the bits that Poly1305 wants cleared may be set. */
  readonly macR: Uint8Array;
}

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
