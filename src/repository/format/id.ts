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
export function writeId(id: Id, target: Uint8Array, offset: number): void {
  Buffer.from(target.buffer, target.byteOffset + offset, ID_BYTES).write(id, 'hex');
}
