import { expect, it } from 'vitest';
import { ReadAhead } from './read-ahead.ts';

const MIB = new Uint8Array(1024 * 1024);

it('what is taken next never waits for what comes later, and all of it is bounded', async () => {
  const ahead = new ReadAhead();
  const [first, second, third] = [ahead.begin(), ahead.begin(), ahead.begin()];
  while (ahead.hasRoom(second)) second.push(MIB);
  expect(second.waiting).toBe(16 * MIB.length);
  expect(ahead.hasRoom(third)).toBe(false);
  while (ahead.hasRoom(first)) first.push(MIB);
  expect(first.waiting).toBe(4 * MIB.length);
  let woken = 0;
  ahead.whenRoom(first, () => (woken += 1));
  first.end();
  const pieces = await Array.fromAsync(first);
  expect([pieces.length, woken]).toEqual([4, 1]);
  ahead.drop(first);
  ahead.whenRoom(third, () => (woken += 10));
  ahead.drop(second);
  expect([woken, ahead.hasRoom(third)]).toEqual([11, true]);
});

it('an error comes after what was written before it, and nobody keeps what is not wanted', async () => {
  const ahead = new ReadAhead();
  const [failing, unwanted] = [ahead.begin(), ahead.begin()];
  failing.push(MIB);
  failing.fail(new Error('gone'));
  let read = 0;
  const reading = async (): Promise<void> => {
    for await (const piece of failing) read += piece.length;
  };
  await expect(reading()).rejects.toThrow('gone');
  expect(read).toBe(MIB.length);
  ahead.drop(unwanted);
  unwanted.push(MIB);
  expect(unwanted.waiting).toBe(0);
});
