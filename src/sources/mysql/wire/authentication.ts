/** Answers to what servers ask of who logs in, by the ways that need no other program. Pure. */
import { constants, createHash, publicEncrypt } from 'node:crypto';

/** What the server proves a password by. */
export const PLUGINS = ['mysql_native_password', 'caching_sha2_password', 'auth_socket', 'unix_socket'] as const;
export type Plugin = (typeof PLUGINS)[number];

/** The first answer. @param nonce what the server has sent; a zero at its end is none of it */
export function scramble(plugin: Plugin, password: string, nonce: Buffer): Buffer {
  const random = nonce.at(-1) === 0 ? nonce.subarray(0, -1) : nonce;
  if (password === '') return Buffer.alloc(0);
  switch (plugin) {
    case 'mysql_native_password': {
      const stage1 = digest('sha1', Buffer.from(password));
      return xor(stage1, digest('sha1', random, digest('sha1', stage1)));
    }
    case 'caching_sha2_password': {
      const stage1 = digest('sha256', Buffer.from(password));
      return xor(stage1, digest('sha256', digest('sha256', stage1), random));
    }
    // The socket itself tells who it is.
    case 'auth_socket':
    case 'unix_socket':
      return Buffer.alloc(0);
  }
}

/** The password for the eyes of the server alone, where the way to it is not encrypted. @param key PEM */
export function sealedPassword(password: string, nonce: Buffer, key: Buffer): Buffer {
  const random = nonce.at(-1) === 0 ? nonce.subarray(0, -1) : nonce;
  const plain = Buffer.from(`${password}\0`);
  const repeated = Buffer.from(plain.map((_, i) => random[i % random.length] ?? 0));
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, xor(plain, repeated));
}

function digest(name: 'sha1' | 'sha256', ...parts: readonly Buffer[]): Buffer {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}
