import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashId } from '../format/id.ts';
import { IdRows } from './id-rows.ts';
import { ID_WORDS, IdWords } from './id-words.ts';

const FIELDS = 1;
const key = new IdWords();

function rowOf(id: number, field: number): Uint32Array {
  const row = new Uint32Array(ID_WORDS + FIELDS);
  row.set(key.setId(hashId(Buffer.from([id]))).words);
  row[ID_WORDS] = field;
  return row;
}

function rowsOf(rows: IdRows, id: number): number[] {
  const words = key.setId(hashId(Buffer.from([id])));
  const found: number[] = [];
  for (let row = rows.first(words); row >= 0; row = rows.next(words)) found.push(row, ...rows.others(row));
  return found.toSorted((a, b) => a - b);
}

describe('rows of ids', () => {
  it('are all found, however many have the same id', () => {
    // Ids that come again and again, and some of one kind alone.
    const additions = fc.array(
      fc.record({ id: fc.nat(8), field: fc.nat(3), times: fc.integer({ min: 1, max: 200 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(additions, fc.nat(4000), (all, expected) => {
        const rows = IdRows.create(FIELDS, 64, 1);
        rows.expect(expected);
        const model = new Map<number, number[]>();
        const kinds = new Set<string>();
        for (const { id, field, times } of all)
          for (let i = 0; i < times; i++) {
            const numbers = model.get(id) ?? [];
            numbers.push(rows.append(rowOf(id, field)));
            model.set(id, numbers);
            kinds.add(`${String(id)} ${String(field & 1)}`);
          }
        const elsewhere = new IdRows(structuredClone(rows.data));
        for (let id = 0; id < 9; id++) {
          expect(rowsOf(rows, id)).toEqual(model.get(id) ?? []);
          // Other threads find one of each kind.
          const seen = new Set(
            rowsOf(elsewhere, id).map((row) => `${String(id)} ${String(elsewhere.field(row, 0) & 1)}`),
          );
          expect(seen).toEqual(new Set([...kinds].filter((kind) => kind.startsWith(`${String(id)} `))));
        }
      }),
    );
  });

  it('take as many steps as there are rows, although all have the same id', () => {
    const count = 20_000;
    let steps = 0;
    const slots = new Uint32Array(new SharedArrayBuffer(count * 8));
    const counted = new Proxy(slots, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) steps += 1;
        return Reflect.get(target, name, target) as unknown;
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    });
    const rows = new IdRows({ width: ID_WORDS + FIELDS, segmentRows: 1024, segments: [], slots: counted, kindBits: 1 });
    for (let i = 0; i < count; i++) rows.append(rowOf(i % 3, 0));
    expect(rowsOf(rows, 1)).toHaveLength(Math.ceil((count - 1) / 3));
    expect(steps).toBeLessThan(count * 100);
  });
});
