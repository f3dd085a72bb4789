import { createCipheriv, createHash, type Cipheriv } from 'node:crypto';

/** Numbers and bytes that look random and are the same in every run: what a seed says. */
export class Random {
  readonly #state: Uint32Array;
  readonly #noise: Cipheriv;

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.#state = new Uint32Array(4).map((_, n) => digest.readUInt32LE(4 * n));
    this.#noise = createCipheriv('aes-128-ctr', digest.subarray(16), Buffer.alloc(16));
  }

  /** A whole number of 32 bits: xoshiro128**. */
  next(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    s[2] = c ^ a;
    s[3] = d ^ b;
    s[1] = b ^ (c ^ a);
    s[0] = a ^ (d ^ b);
    s[2] ^= b << 9;
    s[3] = rotate(d ^ b, 11);
    return result;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }

  /** A size as those of files are spread: half of them below the median, few very large. */
  size(median: number, largest: number, spread = 1.1): number {
    const u = (this.next() + 1) / 2 ** 32;
    const normal = Math.sqrt(-2 * Math.log(u)) * Math.cos((2 * Math.PI * this.next()) / 2 ** 32);
    return Math.min(largest, Math.max(16, Math.round(median * Math.exp(spread * normal))));
  }

  /** Bytes that no compression makes smaller. */
  noise(length: number): Buffer {
    return this.#noise.update(Buffer.alloc(length));
  }
}

function rotate(value: number, by: number): number {
  return ((value << by) | (value >>> (32 - by))) >>> 0;
}
