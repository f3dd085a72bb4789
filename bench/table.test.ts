import { describe, expect, it } from 'vitest';
import type { RowResult } from './results.ts';
import { renderTable } from './table.ts';

function result(wall: number, cpu: number, stored = 1): RowResult {
  const sample = { wall: 1, cpu: 1, memory: 200e6 };
  return {
    ...{ measured: '2026-01-01T00:00:00Z', machine: 'a machine', versions: {}, samples: {} },
    ...{ medians: { respaldo: sample, restic: sample }, ratios: { wall, cpu, stored } },
  };
}

const bold = (row: RowResult): string[] =>
  [...renderTable({ scale: 1, rows: { 'first-mixed': row } }).matchAll(/\*\*([^*]+)\*\*/g)].map(
    ([, text = '']) => text,
  );

describe('The table', () => {
  it('has a line for each row that was measured, in the order of the rows', () => {
    const lines = renderTable({ scale: 1, rows: { prune: result(2, 0.5), 'first-mixed': result(2, 0.5) } }).split('\n');
    expect(lines.slice(2).map((line) => line.split('|')[1]?.trim())).toEqual([
      'first backup, 3 GB mixed tree',
      '`prune` after forgetting half of 200 snapshots',
    ]);
  });

  it('marks nothing that reaches the bar', () => {
    expect(bold(result(2, 0.6, 1.02))).toEqual([]);
  });

  it('marks what falls short', () => {
    expect(bold(result(1.99, 0.61, 1.03))).toEqual(['1.99', '0.61', '1.030']);
  });
});
