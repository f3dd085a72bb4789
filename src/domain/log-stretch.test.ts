import { describe, expect, it } from 'vitest';
import { isLogBase, isLogStretch, neededStretches } from './log-stretch.ts';

const log = (day: number, server = 'db1:3306') => snapshot(day, `/mysql/${server}/binlogs`);
const dump = (day: number, server = 'db1:3306') => snapshot(day, `/mysql/${server}/databases/shop`);

function snapshot(day: number, path: string) {
  const time = `2026-01-${String(day).padStart(2, '0')}T12:00:00Z`;
  return { id: `${path} ${String(day)}`, time, paths: [path] };
}

const days = (kept: ReadonlySet<string>): number[] =>
  [...kept].map((id) => Number(id.split(' ')[1])).toSorted((a, b) => a - b);

describe('Stretches of a log', () => {
  it('are told from their bases, and from what has nothing to do with them, by their paths', () => {
    expect(
      [log(1), dump(1), snapshot(1, '/mysql/db1:3306/files'), snapshot(1, '/home/binlogs')].map(isLogStretch),
    ).toEqual([...[true, false, false, false]]);
    expect([log(1), dump(1), snapshot(1, '/mysql/db1:3306/files'), snapshot(1, '/home')].map(isLogBase)).toEqual([
      ...[false, true, true, false],
    ]);
  });

  it('stay since the oldest base of their server that stays, with the last one before it', () => {
    const stretches = [1, 3, 5, 7, 9].map((day) => log(day));
    expect(days(neededStretches(stretches, [dump(6), dump(8)]))).toEqual([5, 7, 9]);
    expect(days(neededStretches(stretches, []))).toEqual([]);
    expect(days(neededStretches(stretches, [dump(6), log(1, 'db2:3306'), dump(2, 'db2:3306')]))).toEqual([5, 7, 9]);
  });

  it('stay for a base of which nobody knows whose it is', () => {
    expect(days(neededStretches([log(1), log(3)], [dump(2, 'run/mysqld.sock')]))).toEqual([1, 3]);
  });

  it('stay between two that stay, so that rules make no holes', () => {
    expect(
      days(
        neededStretches(
          [1, 2, 4, 5].map((day) => log(day)),
          [log(3), log(6)],
        ),
      ),
    ).toEqual([2, 4, 5]);
  });
});
