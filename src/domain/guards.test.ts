import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardNamesakes, guardVerdicts, planTag, type GuardQuestion } from './guards.ts';
import { isIncomplete } from './snapshot.ts';
import type { Judged, Verdict } from './verdict.ts';

const PLAN = { name: 'shop', hostname: 'web1' };

/** Numbered; the higher the newer. */
function verdict(number: number, kept: boolean, tags: readonly string[] = [], hostname = 'web1'): Verdict<Judged> {
  const time = new Date(Date.UTC(2025, 0, number)).toISOString();
  const snapshot = { id: String(number), time, tags: [planTag('shop'), ...tags], hostname, paths: ['/p'] };
  return { snapshot, kept, reasons: [kept ? 'a rule' : 'no rule'] };
}

const question = (more: Partial<GuardQuestion<Judged>> = {}): GuardQuestion<Judged> => ({
  plan: PLAN,
  needs: () => [],
  ...more,
});
const keptOf = (verdicts: readonly Verdict<Judged>[]): [string, string][] =>
  verdicts.filter(({ kept }) => kept).map(({ snapshot, reasons }) => [snapshot.id, reasons.join()]);

describe('guardVerdicts', () => {
  it('keeps the newest complete snapshot, and the newest proven one', () => {
    const verdicts = [
      verdict(4, false, ['incomplete']),
      verdict(3, false),
      verdict(2, false, ['proven']),
      verdict(1, false),
    ];
    expect(keptOf(guardVerdicts(verdicts, question()))).toEqual([
      ['3', 'last complete snapshot'],
      ['2', 'last proven snapshot'],
    ]);
  });

  it('keeps the newest one where none is complete', () => {
    const verdicts = [verdict(2, false, ['incomplete']), verdict(1, false, ['incomplete'])];
    expect(keptOf(guardVerdicts(verdicts, question()))).toEqual([['2', 'only snapshot left']]);
  });

  it('leaves alone what is not of the plan and its host, or of another plan, too', () => {
    const verdicts = [
      verdict(5, true),
      verdict(4, false, [], 'web2'),
      verdict(3, false, [planTag('other')]),
      { ...verdict(2, false), snapshot: { ...verdict(2, false).snapshot, tags: ['plan=shops'] } },
      verdict(1, false),
    ];
    const why = 'not of the plan shop alone';
    expect(keptOf(guardVerdicts(verdicts, question()))).toEqual([
      ['5', 'a rule'],
      ['4', why],
      ['3', why],
      ['2', why],
    ]);
  });

  it('keeps all while there is a reason to hold', () => {
    const verdicts = [verdict(2, true), verdict(1, false)];
    expect(keptOf(guardVerdicts(verdicts, question({ hold: 'the last backup failed' })))).toEqual([
      ['2', 'a rule'],
      ['1', 'the last backup failed'],
    ]);
  });

  it('keeps what is needed, and what that needs', () => {
    const verdicts = [verdict(4, true), verdict(3, false), verdict(2, false), verdict(1, false)];
    const needs = ({ id }: Judged): string[] => (id === '4' ? ['2'] : id === '2' ? ['1', 'elsewhere'] : []);
    expect(keptOf(guardVerdicts(verdicts, question({ needs })))).toEqual([
      ['4', 'a rule'],
      ['2', 'needed by 4'],
      ['1', 'needed by 2'],
    ]);
  });

  const anyVerdicts = fc
    .array(
      fc.record({
        kept: fc.boolean(),
        tags: fc.subarray(['incomplete', 'proven', planTag('other')]),
        hostname: fc.constantFrom('web1', 'web1', 'web1', 'web2'),
      }),
      { maxLength: 20 },
    )
    .map((all) => all.map(({ kept, tags, hostname }, i) => verdict(all.length - i, kept, tags, hostname)));
  const anyNeeds = fc.array(fc.tuple(fc.nat(20), fc.nat(20))).map(
    (pairs) =>
      ({ id }: Judged) =>
        pairs.filter(([from]) => String(from) === id).map(([, to]) => String(to)),
  );
  const anyHold = fc.option(fc.constant('held'), { nil: undefined });

  it('only ever keeps more, and holds what it promises, whatever the rules said', () => {
    fc.assert(
      fc.property(anyVerdicts, anyNeeds, anyHold, (verdicts, needs, hold) => {
        const guarded = guardVerdicts(verdicts, question({ needs, ...(hold !== undefined && { hold }) }));
        expect(guarded.map(({ snapshot }) => snapshot)).toEqual(verdicts.map(({ snapshot }) => snapshot));
        const kept = new Set(guarded.filter((one) => one.kept).map(({ snapshot }) => snapshot.id));
        const gone = guarded.filter((one) => !one.kept).map(({ snapshot }) => snapshot);

        for (const before of verdicts.filter((one) => one.kept)) expect(guarded).toContain(before);
        if (hold !== undefined) expect(gone).toEqual([]);
        for (const { hostname, tags } of gone) {
          expect(hostname).toBe('web1');
          expect(tags?.filter((tag) => tag.startsWith('plan='))).toEqual(['plan=shop']);
        }
        for (const { snapshot } of guarded.filter((one) => one.kept))
          for (const id of needs(snapshot)) expect(gone.map((one) => one.id)).not.toContain(id);

        const own = verdicts
          .map(({ snapshot }) => snapshot)
          .filter(({ hostname, tags }) => hostname === 'web1' && !tags?.includes(planTag('other')));
        const complete = own.filter((snapshot) => !isIncomplete(snapshot));
        const proven = complete.filter(({ tags }) => tags?.includes('proven'));
        // Newest first.
        for (const last of [complete[0] ?? own[0], proven[0]]) if (last) expect(kept).toContain(last.id);
      }),
      { numRuns: 500 },
    );
  });
});

describe('guardNamesakes', () => {
  const taken = (number: number, tags: readonly string[] = [], hostname = 'web1'): Judged =>
    verdict(number, false, tags, hostname).snapshot;
  const nothing = () => () => [];

  it('lets go what another snapshot of the same source stands for', () => {
    const all = [taken(1), taken(2)];
    expect(guardNamesakes(all.slice(0, 1), all, nothing)).toEqual(new Map());
  });

  it.each([
    ['host', taken(2, [], 'web2')],
    ['plan', { ...taken(2), tags: [planTag('blog')] }],
    ['path', { ...taken(2), paths: ['/q'] }],
  ])('lets the last complete one of a source not go for one of another %s', (_what, other) => {
    const all = [taken(1), other];
    expect([...guardNamesakes(all.slice(0, 1), all, nothing)]).toEqual([['1', 'last complete snapshot']]);
  });

  it('keeps the last proven one, and what one that stays needs', () => {
    const all = [taken(1), taken(2, ['proven']), taken(3)];
    const needs = () => (snapshot: Judged) => (snapshot.id === '3' ? ['1'] : []);
    expect([...guardNamesakes(all.slice(0, 2), all, needs)]).toEqual([
      ['1', 'needed by 3'],
      ['2', 'last proven snapshot'],
    ]);
  });

  it('leaves each source a complete snapshot if it had one, whatever goes', () => {
    const any = fc.array(
      fc.record({
        goes: fc.boolean(),
        tags: fc.subarray(['incomplete', 'proven', planTag('other')]),
        hostname: fc.constantFrom('web1', 'web2'),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(any, (list) => {
        const all = list.map(({ tags, hostname }, i) => taken(i + 1, tags, hostname));
        const going = all.filter((_, i) => list[i]?.goes === true);
        const stay = guardNamesakes(going, all, nothing);
        const left = all.filter((snapshot) => !going.includes(snapshot) || stay.has(snapshot.id));
        for (const one of all.filter((snapshot) => !isIncomplete(snapshot))) {
          const same = ({ hostname, tags }: Judged): boolean =>
            hostname === one.hostname && tags?.includes(planTag('other')) === one.tags?.includes(planTag('other'));
          expect(left.some((snapshot) => same(snapshot) && !isIncomplete(snapshot))).toBe(true);
        }
      }),
    );
  });
});
