import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RelationInventory } from './inventory.ts';
import { exactPattern, largeTables, readsByFile, tableReads } from './parts.ts';

const MIB = 1024 * 1024;

function table(about: Partial<RelationInventory> = {}): RelationInventory {
  return {
    schema: 'public',
    name: 't',
    sql: 'public.t',
    kind: 'table',
    owner: 'ana',
    grants: null,
    bytes: 100 * MIB,
    rowEstimate: 1,
    alone: true,
    columns: ['a', '"b c"'],
    ...about,
  };
}

describe('a table that is read in parallel', () => {
  it('is large, has columns, and is dumped as itself', () => {
    const small = table({ bytes: MIB - 1 });
    const others = [small, table({ columns: [] }), table({ alone: false })];
    expect(largeTables([...others, table()], 'UTF8')).toEqual([table()]);
  });

  it('is among the largest where there are very many', () => {
    const many = Array.from({ length: 3000 }, (_, i) => table({ name: String(i), bytes: MIB + i }));
    expect(largeTables(many, 'UTF8')).toEqual(many.slice(1000));
  });

  it('is covered by its ranges without gap or overlap', () => {
    const page = fc.constantFrom(4096, 8192, 32_768);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), page, (pages, size) => {
        const reads = tableReads(table({ bytes: pages * size }), 150_000, size);
        let next: string | undefined;
        for (const [i, read] of reads.entries()) {
          const [, from] = /ctid >= '\((\d+),0\)'/.exec(read) ?? [];
          expect(from).toBe(i === 0 ? undefined : next);
          next = /ctid < '\((\d+),0\)'/.exec(read)?.[1];
          expect(next === undefined).toBe(i === reads.length - 1);
        }
      }),
    );
  });

  it('has files of the same pages when it has grown, but for the last', () => {
    const size = fc.integer({ min: 2, max: 2000 });
    fc.assert(
      fc.property(size, size, fc.constantFrom(16, 64, 1024), (mib, more, kib) => {
        const files = (bytes: number) => readsByFile(tableReads(table({ bytes }), 150_000, 8192), kib * 1024);
        const [before, after] = [files(mib * MIB), files((mib + more) * MIB)];
        expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
        expect(before.length).toBe(Math.ceil(mib / (2 * kib)));
      }),
    );
  });

  it('is read at once where the server would go through all of it for each range', () => {
    expect(tableReads(table(), 130_000, 8192)).toEqual(['SELECT a, "b c" FROM ONLY public.t']);
  });

  it('is left out of pg_dump by its very name', () => {
    expect(exactPattern({ schema: 'a.b', name: 'c"*' })).toBe('"a.b"."c""*"');
  });
});
