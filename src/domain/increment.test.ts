import { describe, expect, it } from 'vitest';

import { type Chain, type ChainSubject, nextLevel } from './increment.ts';

const subject: ChainSubject = {
  path: '/srv/data',
  selection: { exclude: ['*.tmp'], oneFileSystem: false, excludeCaches: false },
  archives: ['here', 'offsite'],
};
const day = (number: number) => new Date(Date.UTC(2026, 10, number, 2));
const chain = (levels: number): Chain => ({
  id: 'c',
  of: subject,
  links: Array.from({ length: levels }, (_, level) => ({ run: `run${level}`, time: day(1 + level).toISOString() })),
});

describe('the next copy of a folder', () => {
  it.each([
    ['auto', undefined, 2, 0, 0],
    ['incremental', undefined, 2, 0, 0],
    ['differential', undefined, 2, 0, 0],
    ['full', chain(3), 4, 0, 0],
    ['auto', chain(1), 2, 1, 1],
    ['auto', chain(5), 6, 5, 5],
    ['auto', chain(6), 7, 0, 0],
    ['auto', chain(2), 8, 2, 2],
    ['auto', chain(2), 9, 0, 0],
    ['incremental', chain(6), 20, 6, 6],
    ['differential', chain(4), 20, 1, 1],
  ] as const)('wanted %s, after %o, on day %i, has level %i', (wanted, before, today, level, base) => {
    const next = nextLevel(before, subject, wanted, day(today));
    expect([next.level, next.base.length]).toEqual([level, base]);
    expect(next.base).toEqual(before?.links.slice(0, base) ?? []);
  });

  it.each([
    ['other patterns', { ...subject, selection: { ...subject.selection, exclude: [] } }],
    ['another archive', { ...subject, archives: ['here'] }],
    ['another path', { ...subject, path: '/srv/other' }],
  ])('holds everything where there is %s', (_what, other) => {
    expect(nextLevel(chain(2), other, 'incremental', day(3)).level).toBe(0);
  });

  it('does not mind in which order a selection was written', () => {
    const { exclude, oneFileSystem, excludeCaches } = subject.selection;
    const other = { ...subject, selection: { excludeCaches, oneFileSystem, exclude } };
    expect(nextLevel(chain(2), other, 'incremental', day(3)).level).toBe(2);
  });
});
