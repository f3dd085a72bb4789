import { scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, mixerMemory } from './lane-mixer.ts';
import { mixFor, scrypt } from './scrypt.ts';
import { type Lend, SharedLanes } from './shared-lanes.ts';

const discard = (memory: Uint8Array): void => void memory.fill(0);
/** Mixes whatever is left to it. */
const takesPart: Lend = (lanes) => {
  const done = mixFor(lanes, discard);
  return () => done;
};
/** Claims a group, and is gone. */
const leaves: Lend = (lanes) => {
  Atomics.add(lanes.progress, 0, 1);
  return () => Promise.resolve();
};

describe('scrypt on vectors', () => {
  // Section 12 of RFC 7914.
  it.each([
    ['', '', { N: 16, r: 1, p: 1 }, '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442'],
    ['password', 'NaCl', { N: 1024, r: 8, p: 16 }, 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162'],
  ])('derives what the standard says from %j and %j', async (password, salt, cost, beginning) => {
    const derived = await scrypt(password, Buffer.from(salt), 64, cost, { discard });
    expect(derived.toString('hex')).toMatch(new RegExp(`^${beginning}`));
  });

  it('derives what OpenSSL does, whatever the cost, and whoever takes part', async () => {
    const cost = fc.record({
      N: fc.integer({ min: 1, max: 9 }).map((power) => 2 ** power),
      r: fc.integer({ min: 1, max: 40 }),
      p: fc.integer({ min: 1, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.uint8Array({ maxLength: 80 }),
        cost,
        fc.constantFrom(undefined, takesPart, leaves),
        async (password, salt, c, lend) => {
          const derived = await scrypt(password, salt, 64, c, { discard, lend });
          expect(derived.equals(scryptSync(password, salt, 64, { ...c, maxmem: 2 ** 30 }))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives back all of its memory', async () => {
    const cost = { N: 64, r: 8, p: 3 };
    const discarded: number[] = [];
    const note = (memory: Uint8Array): void => void discarded.push(memory.length);
    await scrypt('a', new Uint8Array(8), 64, cost, { discard: note });
    expect(discarded).toEqual([mixerMemory(cost)]);
  });

  it('mixes nothing here where others do it all: who waits for something else is not kept from it', async () => {
    const cost = { N: 64, r: 8, p: 2 };
    const discarded: number[] = [];
    const note = (memory: Uint8Array): void => void discarded.push(memory.length);
    await scrypt('a', new Uint8Array(8), 64, cost, { discard: note, lend: takesPart });
    expect(discarded).toEqual([]);
    await scrypt('a', new Uint8Array(8), 64, cost, { discard: note, lend: leaves });
    expect(discarded).toEqual([mixerMemory(cost)]);
  });

  it('mixes as many lanes at once as it can, and one alone only where there is no other', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(groupsOf)).toEqual([
      [1],
      [2],
      [3],
      [2, 2],
      [3, 2],
      [3, 3],
      [3, 2, 2],
      [3, 3, 2],
    ]);
  });

  it('erases what threads have shared', async () => {
    const lanes = SharedLanes.of(Buffer.alloc(3 * 1024, 7), { N: 64, r: 8, p: 3 });
    await mixFor(lanes.data, discard);
    expect(lanes.take().some((byte) => byte !== 0)).toBe(true);
    expect([...lanes.data.blocks, ...lanes.data.mixed].every((byte) => byte === 0)).toBe(true);
  });
});
