import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashId, isId, readId, writeId } from './id.ts';

describe('an id', () => {
  it('is the SHA-256 of the bytes', () => {
    const bytes = randomBytes(1000);
    expect(hashId(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('goes into any place of a buffer and comes back', () => {
    const id = hashId(randomBytes(8));
    const buffer = Buffer.alloc(100, 9).subarray(10);
    writeId(id, buffer, 33);
    expect(readId(buffer, 33)).toBe(id);
    expect(buffer[32]).toBe(9);
    expect(buffer[65]).toBe(9);
  });

  it('is 64 lower-case hexadecimal digits and nothing else', () => {
    const id = 'a'.repeat(64);
    expect(isId(id)).toBe(true);
    for (const text of ['', id.slice(1), `${id}a`, id.toUpperCase(), `${id.slice(1)}g`, `${id}\n`]) {
      expect(isId(text)).toBe(false);
    }
  });
});
