import { describe, expect, it } from 'vitest';
import { bench } from '../../test/fixtures/bench.ts';
import { NEVER, noise, saveFiles } from '../../test/fixtures/repository.ts';
import type { Catalog, NewRun, RunOutcome, RunRecord } from '../catalog/catalog.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { Plan } from '../domain/plan.ts';
import type { Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import { passes } from '../repository/snapshots.ts';
import { forget } from './forget.ts';
import { basisOf, bytesOnlyIn, forgetPlanOf, planRetentionOf, type RetentionOutlook } from './retention.ts';

type NamedPlan = Plan & { readonly name: string };

const SHOP: NamedPlan = {
  name: 'shop',
  sources: [{ address: 'x' }],
  folder: '/',
  type: 'auto',
  tags: [],
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
};
const CALENDAR = { daily: 2, weekly: 0, monthly: 0, yearly: 0, full: 0 };

/** Records of one snapshot a day, from Monday, 2 June 2025. */
function taken(days: readonly number[], ...tags: string[]): Snapshot[] {
  return days.map((day) => ({
    id: `${String(day).padStart(8, '0')}${tags.join('')}`,
    time: new Date(Date.UTC(2025, 5, 1 + day, 2)).toISOString(),
    tree: 't',
    paths: ['/shop'],
    hostname: 'host',
    username: 'maria',
    parent: 'p',
    tags: tags.length === 0 ? ['plan=shop'] : tags,
  }));
}

const clockAt = (text: string): Clock => ({ now: () => new Date(text), monotonic: () => 0 });

/** What the machine remembers, newest first. */
function remembered(...runs: (Partial<NewRun> & { state?: RunOutcome['state'] })[]): Pick<Catalog, 'runs'> {
  const records = runs.map(({ state, ...run }, i): RunRecord => ({
    id: i,
    operation: 'backup',
    subject: 'shop',
    repository: 'here',
    startedAt: new Date(0),
    ...run,
    ...(state && { outcome: { state, finishedAt: new Date(0) } }),
  }));
  return { runs: async ({ subject }) => records.filter((run) => run.subject === subject) };
}

interface Circumstances {
  readonly catalog?: Pick<Catalog, 'runs'>;
  readonly now?: string;
  readonly evenIfFailing?: boolean;
  readonly hostname?: string;
}

/** Of a repository with these snapshots, oldest first. */
function judge(
  snapshots: readonly Snapshot[],
  plan: NamedPlan,
  {
    catalog = remembered(),
    now = '2025-06-06T03:00:00Z',
    evenIfFailing = false,
    hostname = 'host',
  }: Circumstances = {},
): Promise<RetentionOutlook> {
  const sorted = snapshots.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const repository = {
    location: 'here',
    snapshots: async (filter: SnapshotFilter) => sorted.filter((snapshot) => passes(snapshot, filter)),
  };
  return planRetentionOf({ plan, hostname, evenIfFailing }, { repository, catalog, clock: clockAt(now) }, NEVER);
}

const daysOf = (snapshots: readonly Snapshot[]): number[] =>
  snapshots.map(({ time }) => new Date(time).getUTCDate() - 1).toSorted((a, b) => a - b);

describe('a plan', () => {
  it('is judged by its calendar, and what is told is what goes', async () => {
    const outlook = await judge(taken([1, 2, 3, 4]), { ...SHOP, calendar: CALENDAR });
    expect(outlook).toMatchObject({ plan: 'shop', basis: 'calendar' });
    expect(outlook.sources.flatMap(({ verdicts }) => verdicts.map(({ kept, reasons }) => [kept, reasons]))).toEqual([
      [true, ['daily 1 of 2']],
      [true, ['daily 2 of 2']],
      [false, ['daily keeps 2 newer']],
      [false, ['daily keeps 2 newer']],
    ]);
    expect(daysOf(forgetPlanOf(outlook).remove)).toEqual([1, 2]);
  });

  it('is judged by keep rules with the meaning that they have for restic', async () => {
    const outlook = await judge(taken([1, 2, 3]), { ...SHOP, keep: { last: 1, weekly: 1 } });
    expect(outlook.basis).toBe('keep');
    const [newest, ...others] = outlook.sources[0]?.verdicts ?? [];
    expect(newest?.reasons).toEqual(['last snapshot', 'weekly snapshot']);
    expect(others.map(({ reasons }) => reasons)).toEqual([['no rule keeps it'], ['no rule keeps it']]);
  });

  it('without rules keeps all', async () => {
    expect(await judge(taken([1, 2, 3]), SHOP)).toMatchObject({ basis: 'nothing', remove: [] });
    expect(basisOf({ keep: {} })).toBe('nothing');
  });

  it('owns only what it took itself on its own host', async () => {
    const foreign = [
      taken([1, 2, 3], 'x'),
      taken([1, 2, 3], 'plan=shops'),
      taken([1, 2, 3], 'plan=shop', 'plan=other'),
    ];
    const all = [...foreign.flat(), ...taken([1, 2, 3, 4])];
    const plan = { ...SHOP, calendar: CALENDAR };
    const { remove } = await judge(all, plan);
    expect(daysOf(remove)).toEqual([1, 2]);
    expect(remove.map(({ tags }) => tags)).toEqual([['plan=shop'], ['plan=shop']]);
    expect((await judge(all, plan, { hostname: 'elsewhere' })).sources).toEqual([]);
  });

  it('keeps the last full of a database, which the next differential is compared with', async () => {
    const full = taken([1], 'plan=shop', 'type=full');
    const others = taken([2, 3, 4], 'plan=shop', 'type=incremental');
    const [source] = (await judge([...full, ...others], { ...SHOP, calendar: CALENDAR })).sources;
    expect(source?.verdicts.at(-1)?.reasons).toEqual(['needed by 00000004']);
    expect(source?.verdicts.filter(({ kept }) => !kept)).toHaveLength(1);
  });
});

describe('whether anything goes', () => {
  const plan = { ...SHOP, calendar: CALENDAR, schedule: '0 2 * * *', timeZone: 'UTC' };

  it.each<[string, Pick<Catalog, 'runs'>, string | undefined]>([
    ['has failed', remembered({ state: 'failed' }, { state: 'succeeded' }), 'the last backup failed'],
    ['was cancelled', remembered({ state: 'cancelled' }), 'the last backup was cancelled'],
    ['has not ended', remembered({}), 'the last backup has not ended'],
    ['was incomplete', remembered({ state: 'incomplete' }), undefined],
    ['succeeded after one that failed', remembered({ state: 'succeeded' }, { state: 'failed' }), undefined],
    ['failed elsewhere', remembered({ state: 'failed', repository: 'elsewhere' }, { state: 'succeeded' }), undefined],
    ['is no backup', remembered({ state: 'failed', operation: 'forget' }, { state: 'succeeded' }), undefined],
  ])('is decided by the last run: one that %s', async (_what, catalog, hold) => {
    const four = taken([1, 2, 3, 4]);
    const outlook = await judge(four, plan, { catalog });
    expect(outlook.hold).toBe(hold);
    expect(daysOf(outlook.remove)).toEqual(hold === undefined ? [1, 2] : []);
    expect(daysOf((await judge(four, plan, { catalog, evenIfFailing: true })).remove)).toEqual([1, 2]);
  });

  it('is decided by the schedule where nobody remembers runs', async () => {
    const four = taken([1, 2, 3, 4]);
    expect(daysOf((await judge(four, plan)).remove)).toEqual([1, 2]);
    const late = { now: '2025-06-06T14:00:00Z' };
    expect((await judge(four, plan, late)).remove).toEqual([]);
    expect((await judge(four, plan, late)).hold).toMatch(/overdue/);
    expect(daysOf((await judge(four, plan, { ...late, evenIfFailing: true })).remove)).toEqual([1, 2]);
    expect(daysOf((await judge(four, plan, { ...late, catalog: remembered({ state: 'succeeded' }) })).remove)).toEqual([
      1, 2,
    ]);
    expect(daysOf((await judge(four, { ...SHOP, calendar: CALENDAR }, late)).remove)).toEqual([1, 2]);
  });
});

it('counts as freed what no other snapshot needs, and frees it', async () => {
  await using here = await bench();
  const about = { paths: ['/shop'], tags: ['plan=shop'] };
  const first = await saveFiles(here.repository, { '/a': noise(1, 10_000) }, about);
  const again = await saveFiles(here.repository, { '/a': noise(1, 10_000) }, about);
  const freed = (...snapshots: Snapshot[]): Promise<number> => bytesOnlyIn(snapshots, here.repository, here.signal);
  expect(await freed()).toBe(0);
  expect(await freed(first)).toBe(0);
  expect(await freed(first, again)).toBeGreaterThan(10_000);
  expect(await freed(first, again)).toBeLessThan(12_000);
  const ports = { repository: here.repository, catalog: remembered(), clock: systemClock };
  const plan = { ...SHOP, keep: { last: 1 } };
  const outlook = await planRetentionOf({ plan, hostname: 'host', evenIfFailing: false }, ports, here.signal);
  await forget(forgetPlanOf(outlook), here, here.signal);
  expect((await here.repository.snapshots({}, here.signal)).map(({ id }) => id)).toEqual([again.id]);
});
