import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { KeepRules } from './plan.ts';
import { guardRetention, keepsNothing, planRetention } from './retention.ts';
import { BY_HOST_AND_PATHS, groupSnapshots, parseGroupBy } from './snapshot-group.ts';

const NOW = new Date('2025-01-01T00:00:00Z');

interface Taken {
  readonly id: string;
  readonly time: string;
  readonly tags?: readonly string[];
}

/** Named by their times. */
function taken(...times: string[]): Taken[] {
  return times.map((time) => ({ id: time.slice(0, 10), time: time.length === 10 ? `${time}T12:00:00Z` : time }));
}

function incomplete(time: string): Taken {
  return { id: time, time: `${time}T12:00:00Z`, tags: ['incomplete'] };
}

function kept(snapshots: readonly Taken[], rules: KeepRules): Record<string, readonly string[]> {
  const { keep } = planRetention(snapshots, rules, NOW);
  return Object.fromEntries(keep.map(({ snapshot, reasons }) => [snapshot.id, reasons]));
}

const anySnapshots: fc.Arbitrary<Taken[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.subarray(['a', 'b', 'incomplete'])), { maxLength: 30 })
  .map((list) =>
    list.map(([hours, tags], i) => ({
      id: String(i),
      time: new Date(Date.parse('2018-01-01') + hours * 3_600_000).toISOString(),
      tags,
    })),
  );
const anyRules: fc.Arbitrary<KeepRules> = fc.record(
  {
    last: fc.nat(3),
    daily: fc.nat(9),
    weekly: fc.nat(9),
    yearly: fc.constantFrom(0, 1, Infinity),
    within: fc.constantFrom('1y', '3m', '0d'),
    withinMonthly: fc.constantFrom('2y', '90d'),
    tags: fc.subarray(['a', 'a,b']),
  },
  { requiredKeys: [] },
);

describe('planRetention', () => {
  it('keeps the newest of each day, and the oldest of all while there is room', () => {
    const snapshots = taken('2024-03-01T08:00:00Z', '2024-03-01T20:00:00Z', '2024-03-02');
    expect(kept(snapshots, { daily: 2 })).toEqual({
      '2024-03-02': ['daily snapshot'],
      '2024-03-01': ['daily snapshot'],
    });
    expect(planRetention(snapshots, { daily: 3 }, NOW).keep.map(({ reasons }) => reasons)).toEqual([
      ['daily snapshot'],
      ['daily snapshot'],
      ['oldest daily snapshot'],
    ]);
  });

  it('takes days and weeks from the clock of the machine that took the snapshot', () => {
    const snapshots = taken('2024-03-02T00:30:00+05:45', '2024-03-01T20:00:00Z');
    expect(planRetention(snapshots, { daily: 1 }, NOW).keep.map(({ snapshot }) => snapshot.time)).toEqual([
      '2024-03-01T20:00:00Z',
    ]);
    expect(kept(snapshots, { daily: 2 })).toEqual({
      '2024-03-01': ['daily snapshot'],
      '2024-03-02': ['daily snapshot'],
    });
  });

  it.each([
    ['2020-12-28', '2021-01-03', 'one week'],
    ['2021-01-03', '2021-01-04', 'two weeks'],
    ['2024-12-30', '2025-01-05', 'one week'],
    ['2026-12-28', '2027-01-03', 'one week'],
    ['2027-01-03', '2027-01-04', 'two weeks'],
  ])('puts %s and %s into %s', (a, b, weeks) => {
    const plan = planRetention(taken(a, b, '2010-01-01'), { weekly: 2 }, new Date('2030-01-01'));
    expect(plan.keep.map(({ snapshot }) => snapshot.id)).toEqual(weeks === 'one week' ? [b, '2010-01-01'] : [b, a]);
  });

  it('measures back from the newest snapshot that is not from the future, to the nanosecond', () => {
    const snapshots = taken(
      '2030-01-01',
      '2024-03-31T12:00:00.000000001Z',
      '2024-03-02T12:00:00.000000002Z',
      '2024-03-02T12:00:00.000000001Z',
    );
    expect(planRetention(snapshots, { within: '1m' }, NOW).remove.map(({ time }) => time)).toEqual([
      '2024-03-02T12:00:00.000000001Z',
    ]);
  });

  it('keeps what has one of the tags, or all of a list', () => {
    const snapshots = [
      { id: 'both', time: '2024-01-03T00:00:00Z', tags: ['b', 'a'] },
      { id: 'one', time: '2024-01-02T00:00:00Z', tags: ['a'] },
      { id: 'none', time: '2024-01-01T00:00:00Z' },
    ];
    expect(kept(snapshots, { tags: ['a, b'] })).toEqual({ both: ['has tags [a, b]'] });
    expect(Object.keys(kept(snapshots, { tags: ['', 'b'] }))).toEqual(['both', 'none']);
  });

  it('tells how many each rule would still keep', () => {
    const { keep } = planRetention(taken('2024-01-01', '2024-01-02'), { last: 2, yearly: Infinity }, NOW);
    expect(keep.map(({ counters }) => counters)).toEqual([{ last: 1, yearly: -1 }, { yearly: -1 }]);
  });

  it('refuses rules and times that it cannot read', () => {
    expect(() => planRetention(taken('2024-01-01'), { within: '5 days' }, NOW)).toThrow('5 days');
    expect(() => planRetention(taken('2024-01-01'), { last: -2 }, NOW)).toThrow('-2');
    expect(() => planRetention([{ id: 'a', time: 'yesterday' }], { last: 1 }, NOW)).toThrow('yesterday');
  });

  it('puts every snapshot in exactly one of the two lists, and keeps no fewer when a rule is added', () => {
    fc.assert(
      fc.property(anySnapshots, anyRules, (snapshots, rules) => {
        const { keep, remove } = planRetention(snapshots, rules, NOW);
        const ids = [...keep.map(({ snapshot }) => snapshot.id), ...remove.map(({ id }) => id)];
        expect(ids.toSorted()).toEqual(snapshots.map(({ id }) => id).toSorted());
        const more = planRetention(snapshots, { ...rules, monthly: 3 }, NOW).keep.map(({ snapshot }) => snapshot.id);
        expect(more).toEqual(expect.arrayContaining(keep.map(({ snapshot }) => snapshot.id)));
      }),
    );
  });
});

describe('guardRetention', () => {
  const guarded = (snapshots: readonly Taken[], rules: KeepRules) =>
    guardRetention(planRetention(snapshots, rules, NOW));

  it('keeps the newest complete snapshot although newer, incomplete ones have taken its place', () => {
    const snapshots = [...taken('2024-01-01', '2024-01-02'), incomplete('2024-01-03'), incomplete('2024-01-04')];
    const { keep, remove } = guarded(snapshots, { last: 2 });
    expect(keep.map(({ snapshot, reasons }) => [snapshot.id, reasons])).toEqual([
      ['2024-01-04', ['last snapshot']],
      ['2024-01-03', ['last snapshot']],
      ['2024-01-02', ['last complete snapshot']],
    ]);
    expect(remove.map(({ id }) => id)).toEqual(['2024-01-01']);
  });

  it('keeps the newest complete snapshot although an older one is kept for its tag', () => {
    const [old, recent] = taken('2024-01-01', '2024-01-02');
    const { keep } = guarded([{ ...old, tags: ['x'] } as Taken, recent as Taken], { tags: ['x'] });
    expect(keep.map(({ snapshot, reasons }) => [snapshot.id, reasons])).toEqual([
      ['2024-01-02', ['last complete snapshot']],
      ['2024-01-01', ['has tags [x]']],
    ]);
  });

  it('adds nothing where none is complete and one is kept anyway', () => {
    const { keep, remove } = guarded([incomplete('2024-01-03'), incomplete('2024-01-04')], { last: 1 });
    expect(keep.map(({ snapshot }) => snapshot.id)).toEqual(['2024-01-04']);
    expect(remove.map(({ id }) => id)).toEqual(['2024-01-03']);
  });

  it('keeps at least one snapshot where none is complete', () => {
    const { keep } = guarded([incomplete('2024-01-03'), incomplete('2024-01-04')], { tags: ['x'] });
    expect(keep.map(({ snapshot }) => snapshot.id)).toEqual(['2024-01-04']);
  });

  it('only ever adds, at most one, and never lets the last good one go', () => {
    fc.assert(
      fc.property(anySnapshots, anyRules, (snapshots, rules) => {
        const plan = planRetention(snapshots, rules, NOW);
        const { keep, remove } = guardRetention(plan);
        expect(keep).toEqual(expect.arrayContaining([...plan.keep]));
        expect(keep.length - plan.keep.length).toBeOneOf([0, 1]);
        expect(keep.length + remove.length).toBe(snapshots.length);
        const complete = snapshots.filter(({ tags }) => !tags?.includes('incomplete')).map(({ time }) => time);
        const newest = complete.toSorted().at(-1);
        if (newest !== undefined) expect(keep.map(({ snapshot }) => snapshot.time)).toContain(newest);
        else expect(keep.length > 0).toBe(snapshots.length > 0);
      }),
    );
  });
});

describe('keepsNothing', () => {
  it.each<[KeepRules, boolean]>([
    [{}, true],
    [{ last: 0, within: '0d', tags: [] }, true],
    [{ last: 1 }, false],
    [{ yearly: Infinity }, false],
    [{ withinYearly: '1h' }, false],
    [{ tags: ['x'] }, false],
  ])('of %j is %s', (rules, answer) => {
    expect(keepsNothing(rules)).toBe(answer);
  });
});

describe('groupSnapshots', () => {
  const snapshots = [
    { id: 1, hostname: 'a', paths: ['/y', '/x'], tags: ['t'] },
    { id: 2, hostname: 'b', paths: ['/x', '/y'] },
    { id: 3, hostname: 'a', paths: ['/x', '/y'] },
  ];
  const ids = (by: string) => {
    const groupBy = parseGroupBy(by);
    if (groupBy === undefined) return undefined;
    return groupSnapshots(snapshots, groupBy).map(({ snapshots }) => snapshots.map(({ id }) => id));
  };

  it('puts together what has the host and the paths in common, in whatever order they were given', () => {
    expect(groupSnapshots(snapshots, BY_HOST_AND_PATHS)[0]?.key).toEqual({
      hostname: 'a',
      paths: ['/x', '/y'],
      tags: [],
    });
    expect(ids('host,paths')).toEqual([[1, 3], [2]]);
  });

  it.each([
    ['', [[1, 2, 3]]],
    ['paths', [[1, 2, 3]]],
    ['tags', [[1], [2, 3]]],
    ['hosts,tag', [[1], [2], [3]]],
    ['colour', undefined],
  ])('groups by "%s"', (by, expected) => {
    expect(ids(by)).toEqual(expected);
  });
});
