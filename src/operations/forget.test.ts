import { describe, expect, it } from 'vitest';
import { bench, type Bench } from '../../test/fixtures/bench.ts';
import { saveFiles } from '../../test/fixtures/repository.ts';
import { systemClock } from '../clock.ts';
import type { KeepRules } from '../domain/plan.ts';
import { BY_HOST_AND_PATHS } from '../domain/snapshot-group.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { forget, planForget, planForgetNamed, type ForgetPolicy } from './forget.ts';

/** One snapshot a day, from the first of January; those of `incomplete` days lack something. */
async function take(
  { repository }: Bench,
  days: readonly number[],
  { path = '/shop', tags = [], incomplete = [] }: { path?: string; tags?: string[]; incomplete?: number[] } = {},
): Promise<readonly Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (const day of days) {
    const time = new Date(Date.UTC(2025, 0, day, 12));
    const all = incomplete.includes(day) ? [...tags, 'incomplete'] : tags;
    snapshots.push(await saveFiles(repository, { '/a': `${path} ${day}` }, { time, paths: [path], tags: all }));
  }
  return snapshots;
}

function policy(rules: KeepRules, more: Partial<ForgetPolicy> = {}): ForgetPolicy {
  return { filter: {}, rules, groupBy: BY_HOST_AND_PATHS, ...more };
}

const daysOf = (snapshots: readonly Snapshot[]): number[] =>
  snapshots.map(({ time }) => new Date(time).getUTCDate()).toSorted((a, b) => a - b);

describe('rules', () => {
  it('judge each group by itself, and what is planned is what goes', async () => {
    await using here = await bench();
    const ports = { ...here, clock: systemClock };
    await take(here, [1, 2, 3]);
    await take(here, [4, 5], { path: '/files' });
    const plan = await planForget(policy({ last: 2 }), ports, here.signal);
    expect(plan.groups.map(({ key, keep, remove }) => [key.paths, keep.length, daysOf(remove)])).toEqual([
      [['/shop'], 2, [1]],
      [['/files'], 2, []],
    ]);
    expect(plan.groups[0]?.keep[0]?.reasons).toEqual(['last snapshot']);
    expect(daysOf(await here.repository.snapshots({}, here.signal))).toEqual([1, 2, 3, 4, 5]);
    await forget(plan, ports, here.signal);
    expect(daysOf(await here.repository.snapshots({}, here.signal))).toEqual([2, 3, 4, 5]);
  });

  it('never cost the last complete snapshot', async () => {
    await using here = await bench();
    await take(here, [1, 2, 3], { incomplete: [2, 3] });
    const plan = await planForget(policy({ last: 1 }), { ...here, clock: systemClock }, here.signal);
    expect(daysOf(plan.remove)).toEqual([2]);
  });

  it.each<[string, KeepRules, string]>([
    ['none', {}, 'no rule says which snapshots to keep'],
    ['counts of nothing', { last: 0, within: '0d' }, 'no rule says which snapshots to keep'],
    ['what is no duration', { within: 'week' }, '"week" is no duration'],
    ['what is no count', { daily: -2 }, 'cannot keep -2 snapshots'],
  ])('are refused if they are %s', async (_what, rules, message) => {
    await using here = await bench();
    const planning = planForget(policy(rules), { ...here, clock: systemClock }, here.signal);
    await expect(planning).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('names', () => {
  it('are taken at their word, and each but once', async () => {
    await using here = await bench();
    const [first, second] = await take(here, [1, 2]);
    if (!first || !second) throw new Error('two were taken');
    const plan = await planForgetNamed([first.id, first.id.slice(0, 8), 'latest'], {}, here, here.signal);
    expect(plan.remove.map(({ id }) => id)).toEqual([first.id, second.id]);
    await forget(plan, here, here.signal);
    expect(await here.repository.snapshots({}, here.signal)).toEqual([]);
  });

  it('must all exist before anything goes', async () => {
    await using here = await bench();
    const [first] = await take(here, [1]);
    await expect(planForgetNamed([first?.id ?? '', 'ffffffff'], {}, here, here.signal)).rejects.toMatchObject({
      code: 'snapshot-missing',
    });
  });
});

it('removes nothing where nothing is to go', async () => {
  await using here = await bench();
  await forget({ groups: [], remove: [] }, here, here.signal);
  expect(await here.repository.snapshots({}, here.signal)).toEqual([]);
});
