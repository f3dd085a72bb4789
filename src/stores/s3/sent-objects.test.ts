import { expect, it } from 'vitest';
import { SentObjects } from './sent-objects.ts';

it('remembers the objects that were sent last, and no more of them however many there are', () => {
  const sent = new SentObjects();
  const object = { size: 1, sums: new Map() };
  for (let n = 0; n < 10_000; n++) sent.keep(`key-${String(n % 5000)}`, object);
  const known = Array.from({ length: 5000 }, (_, n) => sent.get(`key-${String(n)}`)).map((one) => one !== undefined);
  expect(known.filter(Boolean)).toHaveLength(256);
  expect(known.lastIndexOf(false)).toBe(5000 - 256 - 1);
  sent.forget('key-4999');
  expect(sent.get('key-4999')).toBeUndefined();
});
