import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from './snapshot.ts';
import { decideType, typeTag } from './strategy.ts';

const NOW = new Date('2025-03-20T12:00:00Z');

function taken(daysAgo: number, tags: readonly string[] = [], parent?: string): Snapshot {
  const time = new Date(NOW.getTime() - daysAgo * 86_400_000).toISOString();
  return {
    id: `${daysAgo}`,
    time,
    tree: 't',
    paths: ['/p'],
    hostname: 'h',
    username: 'u',
    tags,
    ...(parent !== undefined && { parent }),
  };
}

const full = (daysAgo: number) => taken(daysAgo, [typeTag('full')]);
const incremental = (daysAgo: number) => taken(daysAgo, [typeTag('incremental')], 'x');

describe('a database', () => {
  const decide = (history: readonly Snapshot[], wanted: 'auto' | 'full' | 'differential' | 'incremental' = 'auto') => {
    const { type, parent, reason } = decideType({ wanted, typed: true, history, now: NOW });
    return [type, parent?.id, reason];
  };

  it.each([
    ['there is nothing yet', [], ['full', undefined, 'there is no snapshot to compare with yet']],
    ['there is no full yet', [incremental(1)], ['full', undefined, 'there is no full yet']],
    ['the last full is too old', [full(9), full(7.5)], ['full', undefined, 'the last one is 7.5 days old']],
    [
      'five came after it',
      [full(6), ...[5, 4, 3, 2, 1].map(incremental)],
      ['full', undefined, '5 snapshots since the last one'],
    ],
  ])('is taken in full when %s', (_when, history, decision) => {
    expect(decide(history)).toEqual(decision);
  });

  it('is compared with the last snapshot otherwise, in whatever order they come', () => {
    expect(decide([full(7)])).toEqual(['incremental', '7', 'the last snapshot']);
    expect(decide([incremental(2), full(6), incremental(4)])).toEqual(['incremental', '2', 'the last snapshot']);
  });

  it('is never compared with an incomplete snapshot, which may hold damaged pages', () => {
    const damaged = taken(1, [typeTag('full'), 'incomplete']);
    expect(decide([damaged])).toEqual(['full', undefined, 'there is no snapshot to compare with yet']);
    expect(decide([full(2), damaged], 'differential')).toEqual(['differential', '2', 'asked for']);
  });

  it('gets the type that was asked for, or a full where there is nothing to compare with', () => {
    const history = [full(6), incremental(1)];
    expect(decide(history, 'full')).toEqual(['full', undefined, 'asked for']);
    expect(decide(history, 'differential')).toEqual(['differential', '6', 'asked for']);
    expect(decide(history, 'incremental')).toEqual(['incremental', '1', 'asked for']);
    expect(decide([incremental(1)], 'differential')).toEqual([
      'full',
      undefined,
      'there is no full to compare with yet',
    ]);
    expect(decide([], 'incremental')).toEqual(['full', undefined, 'there is no snapshot to compare with yet']);
  });
});

describe('a folder', () => {
  const decide = (history: readonly Snapshot[], wanted: 'auto' | 'differential' = 'auto') => {
    const { type, parent } = decideType({ wanted, typed: false, history, now: NOW });
    return [type, parent?.id];
  };

  it('is always compared with the last snapshot, however old and even if incomplete', () => {
    expect(decide([taken(400, ['incomplete'])])).toEqual(['incremental', '400']);
    expect(decide([])).toEqual(['full', undefined]);
  });

  it('has its fulls where there was no parent', () => {
    expect(decide([taken(3), taken(2, [], '3'), taken(1, [], '2')], 'differential')).toEqual(['differential', '3']);
  });
});

it('compares with a snapshot unless it takes a full, and only with one that exists', () => {
  const history = fc.array(
    fc.oneof(
      fc.nat(30).map(full),
      fc.nat(30).map(incremental),
      fc.nat(30).map((at) => taken(at)),
    ),
  );
  const wanted = fc.constantFrom('auto' as const, 'full' as const, 'differential' as const, 'incremental' as const);
  fc.assert(
    fc.property(wanted, fc.boolean(), history, (type, typed, snapshots) => {
      const decision = decideType({ wanted: type, typed, history: snapshots, now: NOW });
      expect(decision.parent === undefined).toBe(decision.type === 'full');
      if (decision.parent) expect(snapshots).toContain(decision.parent);
      if (type !== 'auto' && decision.type !== 'full') expect(decision.type).toBe(type);
    }),
  );
});
