import { describe, expect, it } from 'vitest';
import type { BinlogFacts, PartFacts } from './facts.ts';
import { walksFrom, type StoredStretch } from './walk.ts';

function part(file: number, from: number, to: number, closed = false): PartFacts {
  const name = `bin.${String(file).padStart(6, '0')}`;
  return { file: name, from, to, path: `/binlogs/${name}`, bytes: to - from, closed, transactions: 1 };
}

function stretch(
  chain: string,
  parts: readonly PartFacts[],
  broken?: { file: string; offset: number },
): StoredStretch<string> {
  const [first, last] = [parts[0], parts.at(-1)];
  const facts = {
    chain: { id: chain, ...(broken && { broken: { reason: 'purged', after: broken } }) },
    seenAt: `seen ${String(last?.to)}`,
    from: { file: first?.file, offset: first?.from },
    to: { file: last?.file, offset: last?.to },
    lastTime: '2026-01-01T00:00:00.000Z',
    formatEvent: 'format',
    parts,
  } as unknown as BinlogFacts;
  return { snapshot: `${chain} ${String(first?.file)}:${String(first?.from)}`, facts };
}

const at = (file: number, offset: number) => ({ file: `bin.${String(file).padStart(6, '0')}`, offset });
const legs = (start: ReturnType<typeof at>, stored: readonly StoredStretch<string>[]): string[] | undefined =>
  walksFrom(start, stored)[0]?.legs.map(
    ({ part: { file, from, to }, skip }) => `${file.slice(-1)}:${String(from + skip)}-${String(to)}`,
  );

describe('The way through a stored log', () => {
  it('begins at the part that holds the place, and goes on as long as nothing is missing', () => {
    const stored = [
      stretch('a', [part(1, 0, 100, true), part(2, 0, 50)]),
      stretch('a', [part(2, 50, 90), part(2, 90, 120, true)]),
      stretch('a', [part(3, 0, 70, true)]),
      stretch('a', [part(5, 0, 70)]),
    ];
    expect(legs(at(1, 40), stored)).toEqual(['1:0-100', '2:0-50', '2:50-90', '2:90-120', '3:0-70']);
    expect(legs(at(2, 60), stored)).toEqual(['2:50-90', '2:90-120', '3:0-70']);
    expect(legs(at(4, 10), stored)).toBeUndefined();
  });

  it('takes the longest of parts that hold the same, and skips what it has read', () => {
    const stored = [
      stretch('a', [part(1, 0, 50)]),
      stretch('a', [part(1, 0, 80)]),
      stretch('a', [part(1, 50, 130)]),
      stretch('a', [part(1, 100, 110)]),
    ];
    expect(legs(at(1, 10), stored)).toEqual(['1:0-80', '1:80-130']);
  });

  it('does not go on in another file than the next, nor before one is closed, nor in another chain', () => {
    expect(legs(at(1, 4), [stretch('a', [part(1, 0, 100)]), stretch('a', [part(2, 0, 50)])])).toEqual(['1:0-100']);
    expect(legs(at(1, 4), [stretch('a', [part(1, 0, 100, true)]), stretch('b', [part(2, 0, 50)])])).toEqual([
      '1:0-100',
    ]);
  });

  it('tells of a gap behind its end, and knows every chain that has the place', () => {
    const walks = walksFrom(at(1, 4), [
      stretch('a', [part(1, 0, 100)]),
      stretch('b', [part(1, 0, 60)], { file: 'bin.000001', offset: 100 }),
    ]);
    expect(walks.map(({ to, isGapAhead }) => ({ to: to.offset, isGapAhead }))).toEqual([
      { to: 100, isGapAhead: true },
      { to: 60, isGapAhead: false },
    ]);
  });
});
