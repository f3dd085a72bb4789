import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PacketBuffer } from './packet-buffer.ts';

it('packets are handed on whole, in whatever pieces they come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (payloads, steps) => {
        const bytes = Buffer.concat(payloads.map((payload, i) => packet(payload, i)));
        expect(received(bytes, (i) => steps[i % steps.length] ?? 1).map((one) => [...one])).toEqual(
          payloads.map((one) => [...one]),
        );
      },
    ),
  );
});

it.each([0, 1, 70_000])('a payload of 16 MiB, less one, and %i bytes comes as one', (more) => {
  const first = Buffer.alloc(0xff_ff_ff, 'first');
  const second = Buffer.alloc(more, 'second');
  const next = Buffer.from('next');
  const bytes = Buffer.concat([packet(first, 0), packet(second, 1), packet(next, 2)]);
  const [joined, last] = received(bytes, () => 1_000_000);
  expect(joined?.equals(Buffer.concat([first, second]))).toBe(true);
  expect(last?.equals(next)).toBe(true);
});

function packet(payload: Uint8Array, sequence: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, payload]);
}

function received(bytes: Buffer, step: (i: number) => number): Buffer[] {
  const buffer = new PacketBuffer();
  const found: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = bytes.copy(buffer.space(), 0, at, Math.min(bytes.length, at + step(i)));
    at += length;
    buffer.filled(length, (all, from, to) => found.push(Buffer.from(all.subarray(from, to))));
  }
  return found;
}
