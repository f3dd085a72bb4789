import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Crc64 } from './crc64.ts';

function crc64(...pieces: Uint8Array[]): string {
  const sum = new Crc64();
  for (const piece of pieces) sum.update(piece);
  return Buffer.from(sum.digest()).reverse().toString('hex');
}

it('is the checksum that Redis tests its own by', () => {
  expect(crc64(Buffer.from('123456789'))).toBe('e9c6d914c4b8d9ca');
  expect(crc64()).toBe('0000000000000000');
});

it('does not depend on how the bytes are cut into pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      expect(crc64(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(crc64(bytes));
    }),
  );
});
