import { describe, expect, it } from 'vitest';
import { Spool } from './spool.ts';

const MIB = 1024 * 1024;

describe('A spool', () => {
  it('gives back what was added in order, of any size, and then what is added after that', async () => {
    await using spool = new Spool();
    const piece = (value: number) => Buffer.alloc(10 * MIB, value);
    for (const value of [1, 2, 3, 4]) await spool.add(piece(value));
    expect(await taken(spool)).toEqual([1, 2, 3, 4]);
    for (const value of [5, 6]) await spool.add(piece(value));
    expect(await taken(spool)).toEqual([5, 6]);
    expect(await taken(spool)).toEqual([]);
    expect(spool.size).toBe(60 * MIB);
  });

  /** The values of whole pieces. */
  async function taken(spool: Spool): Promise<number[]> {
    const all = Buffer.concat(await Array.fromAsync(spool.take()));
    const values = Array.from({ length: all.length / (10 * MIB) }, (_, i) => all.readUInt8(i * 10 * MIB));
    for (const [i, value] of values.entries())
      expect(all.subarray(i * 10 * MIB, (i + 1) * 10 * MIB).equals(Buffer.alloc(10 * MIB, value))).toBe(true);
    return values;
  }
});
