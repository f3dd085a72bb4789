/** Names of stored things: the SHA-256 of their bytes, written as 64 lower-case hexadecimal digits. */
import { hash } from 'node:crypto';

export type Id = string;

/** Bytes of an id in its binary form. */
export const ID_BYTES = 32;

const pattern = /^[0-9a-f]{64}$/;

export function hashId(bytes: Uint8Array): Id {
  return hash('sha256', bytes, 'hex');
}

export function isId(text: string): text is Id {
  return pattern.test(text);
}

/** The id whose 32 bytes lie at `offset`. */
export function readId(bytes: Uint8Array, offset: number): Id {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, ID_BYTES).toString('hex');
}

/** Puts the id's 32 bytes at `offset`. */
export function writeId(id: Id, target: Buffer, offset: number): void {
  target.write(id, offset, ID_BYTES, 'hex');
}

/** The value of each hexadecimal digit, 255 for any other byte. */
const DIGITS = new Uint8Array(256).fill(255);
for (const [value, digit] of [...Buffer.from('0123456789abcdef')].entries()) DIGITS[digit] = value;

/**
 * Puts the id whose 64 digits lie at `at` in `text` in binary at `offset`.
 * @returns false if they are not all lower-case hexadecimal digits
 */
export function readHex(text: Uint8Array, at: number, target: Uint8Array, offset: number): boolean {
  let seen = 0;
  for (let i = 0; i < ID_BYTES; i++) {
    const high = DIGITS[text[at + 2 * i] ?? 0] ?? 255;
    const low = DIGITS[text[at + 2 * i + 1] ?? 0] ?? 255;
    seen |= high | low;
    target[offset + i] = (high << 4) | low;
  }
  return seen < 16;
}
