import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { KeepRules } from '../../src/domain/plan.ts';
import { keepsNothing, planRetention } from '../../src/domain/retention.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { BY_HOST_AND_PATHS, groupSnapshots, parseGroupBy } from '../../src/domain/snapshot-group.ts';
import { Sealer } from '../../src/repository/format/crypto.ts';
import { openKeyFile } from '../../src/repository/format/key.ts';
import { encodeSnapshot } from '../../src/repository/format/snapshot-record.ts';
import { formatTime } from '../../src/repository/format/time.ts';
import { Objects } from '../../src/repository/storage/objects.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import type { ReadStore } from '../../src/stores/store.ts';
import { NEVER, PASSWORD, newRepository, saveFiles } from '../fixtures/repository.ts';
import { RESTICS, Restic } from '../fixtures/restic.ts';

/** What `restic forget --dry-run --json` says of one group, in the order in which it says it. */
interface ForgetGroup {
  readonly host: string;
  readonly paths: readonly string[] | null;
  readonly tags: readonly string[] | null;
  readonly keep: readonly { readonly id: string }[] | null;
  readonly remove: readonly { readonly id: string }[] | null;
  /** Old versions tell the counters, new ones do not. */
  readonly reasons: readonly { readonly matches: readonly string[]; readonly counters?: object }[] | null;
}

const OPTIONS = {
  last: '--keep-last',
  hourly: '--keep-hourly',
  daily: '--keep-daily',
  weekly: '--keep-weekly',
  monthly: '--keep-monthly',
  yearly: '--keep-yearly',
  within: '--keep-within',
  withinHourly: '--keep-within-hourly',
  withinDaily: '--keep-within-daily',
  withinWeekly: '--keep-within-weekly',
  withinMonthly: '--keep-within-monthly',
  withinYearly: '--keep-within-yearly',
} as const satisfies Partial<Record<keyof KeepRules, string>>;

const HOUR = 3_600_000;
const ANY = expect.anything() as object;

/** Histories of one repository: each call of restic answers for all of them. */
const HISTORIES = 240;
const ZONES = ['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'];
const GROUPINGS = ['host,paths', 'host', 'paths,tags', 'host,paths,tags', 'tags', ''];

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});
afterEach(() => vi.unstubAllEnvs());

describe.each(RESTICS)('planRetention beside %s', (binary) => {
  const isOld = versionOf(binary) < 0.16;
  const expected = (snapshots: readonly Snapshot[], rules: KeepRules, grouping = 'host,paths') => {
    const plan = ourPlan(snapshots, rules, grouping);
    if (!isOld && plan.some(({ keep }) => keep.length === 0)) return 'refused';
    return byTimes(isOld ? plan.map(withoutTheOldest) : plan, snapshots);
  };

  describe(`for ${HISTORIES} histories at once`, () => {
    let made: Awaited<ReturnType<typeof makeRepository>>;
    beforeAll(async () => {
      made = await makeRepository(binary, recordsOf(fc.sample(fc.oneof(...HISTORY), HISTORIES)));
    });

    it.each(ZONES)('keeps and removes the same snapshots for the same reasons in the zone %s', async (zone) => {
      vi.stubEnv('TZ', zone);
      const { restic, snapshots } = made;
      const some = rulesOf(!isOld, true);
      const rules = isOld ? rulesOf(false, false) : fc.oneof(some, some, some, rulesOf(true, false));
      await fc.assert(
        fc.asyncProperty(rules, fc.constantFrom(...GROUPINGS), async (rules, grouping) => {
          const theirs = byTimes(await resticPlan(restic, rules, grouping), snapshots);
          expect(theirs).toEqual(expected(snapshots, rules, grouping));
        }),
        { numRuns: 4, endOnFailure: true },
      );
    });
  });

  it('measures back over the hours that summer time swallows and repeats', async () => {
    vi.stubEnv('TZ', 'Europe/Madrid');
    const around = (instant: string) =>
      Array.from({ length: 24 }, (_, i) =>
        formatTime(BigInt(Date.parse(instant) + (i - 12) * (HOUR / 4)) * 1_000_000n),
      );
    const histories = [
      ['2024-04-30T02:30:00+02:00', ...around('2024-03-31T01:00:00Z')],
      ['2024-11-26T02:30:00+01:00', ...around('2024-10-27T01:00:00Z')],
      ['2024-03-31T12:00:00+02:00', ...around('2024-02-29T11:00:00Z'), ...around('2024-03-02T11:00:00Z')],
    ];
    const { restic, snapshots } = await makeRepository(
      binary,
      histories.flatMap((times, i) => times.map((time) => ({ time, tags: [], hostname: `host-${i}`, paths: ['/a'] }))),
    );
    for (const within of ['30d', '1m', '2m', '1m1h', '30d1h', '1y']) {
      const rules = { within, withinHourly: within };
      expect(byTimes(await resticPlan(restic, rules), snapshots)).toEqual(expected(snapshots, rules));
    }
  });
});

function versionOf(binary: string): number {
  return Number(/restic (\d+\.\d+)/.exec(execFileSync(binary, ['version'], { encoding: 'utf8' }))?.[1]);
}

interface Taken {
  /** After 1970 UTC. */
  readonly ns: bigint;
  /** Where the clock stood that was read. */
  readonly zone: string;
  readonly tags: readonly string[];
}

/** Dense and sparse ones; some snapshots come from the future. */
function history(first: string, days: number): fc.Arbitrary<Taken[]> {
  const taken = fc.record({
    ns: fc
      .tuple(fc.integer({ min: 0, max: days * 24 * 60 }), fc.constantFrom(0, 1, 123_000_000, 999_000_000))
      .map(([minutes, ns]) => BigInt(Date.parse(first) + minutes * 60_000) * 1_000_000n + BigInt(ns)),
    zone: fc.constantFrom(...ZONES, ...ZONES, 'Pacific/Kiritimati', 'America/St_Johns'),
    tags: fc.subarray(['a', 'b', 'c']),
  });
  const unique = fc.uniqueArray(taken, { minLength: 1, maxLength: 24, selector: ({ ns }) => ns / 1_000_000_000n });
  // In which order restic looks at equal times is left to chance: they must be alike in all else.
  return fc.tuple(unique, fc.nat(5)).map(([all, twice]) => [...all, ...all.slice(0, twice > 2 ? 0 : twice)]);
}

const HISTORY = [
  history('2024-12-20T00:00:00Z', 3),
  history('2024-12-20T00:00:00Z', 30),
  history('2024-01-01T00:00:00Z', 400),
  history('2015-01-01T00:00:00Z', 3650),
  history('2022-06-01T00:00:00Z', 20_000),
  history('2090-01-01T00:00:00Z', 100),
];

/** @param some at least one of each group is kept: newer versions refuse all groups where one would lose everything */
function rulesOf(unlimited: boolean, some: boolean): fc.Arbitrary<KeepRules> {
  const count = fc.oneof(fc.integer({ min: 0, max: 12 }), ...(unlimited ? [fc.constant(Infinity)] : []));
  const duration = fc
    .tuple(...[3, 14, 40, 50].map((max) => fc.integer({ min: 0, max })))
    .map((counts) => counts.map((n, i) => (n === 0 ? '' : `${n}${'ymdh'[i] ?? ''}`)).join(''))
    .filter((text) => text !== '');
  const keys = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
  const values = Object.fromEntries(keys.map((key) => [key, key.startsWith('within') ? duration : count]));
  const tags = fc.uniqueArray(fc.constantFrom('a', 'a,b', 'c', ''), { minLength: 1 });
  return fc
    .tuple(fc.subarray(keys, { minLength: 1, maxLength: 4 }), fc.record(values), fc.option(tags, { freq: 4 }))
    .map(([chosen, all, tags]): KeepRules => ({
      ...Object.fromEntries(chosen.map((key) => [key, all[key]])),
      ...(tags && { tags }),
    }))
    .filter((rules) => !keepsNothing(rules) && (!some || Object.values(rules).some((n) => Number(n) > 0)));
}

/** RFC 3339, as a machine in the zone writes it. */
function inZone(ns: bigint, timeZone: string): string {
  const ms = Number(ns / 1_000_000n);
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(ms);
  const zone = parts.find(({ type }) => type === 'timeZoneName')?.value.slice(3) ?? '';
  if (zone === '') return withFraction(ms, ns, 'Z');
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  return withFraction(ms + (zone.startsWith('-') ? -minutes : minutes) * 60_000, ns, zone);
}

function withFraction(wallMs: number, ns: bigint, zone: string): string {
  const wall = new Date(wallMs).toISOString().slice(0, 19);
  return `${wall}.${String(ns % 1_000_000_000n).padStart(9, '0')}${zone}`;
}

/** Histories in one repository: two on each host, forty paths; no two at the very same time. */
function recordsOf(histories: readonly (readonly Taken[])[]): Pick<Snapshot, 'time' | 'tags' | 'hostname' | 'paths'>[] {
  return histories.flatMap((taken, i) =>
    taken.map(({ ns, zone, tags }) => ({
      time: inZone(ns + BigInt(i) * 1000n, zone),
      tags: i % 3 === 0 ? tags.toReversed() : tags,
      hostname: `host-${i >> 1}`,
      paths: i % 5 === 0 ? [`/z-${i % 40}`, '/a'] : ['/a', `/z-${i % 40}`],
    })),
  );
}

/** One repository with these snapshots and nothing in them. */
async function makeRepository(binary: string, records: ReturnType<typeof recordsOf>) {
  const store = new MemoryStore();
  const repository = await newRepository(store);
  const model = await saveFiles(repository, { '/a': 'a' });
  await repository.forget([model.id], NEVER);
  await repository.close();
  const objects = new Objects(store, await sealerOf(store), 2);
  const snapshots: Snapshot[] = [];
  for (const more of records) {
    const record = { ...model, ...more };
    snapshots.push({ ...record, id: await objects.save('snapshot', encodeSnapshot(record), NEVER) });
  }
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-retention-'));
  folders.push(folder);
  for await (const { key } of store.list('', NEVER)) {
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), await store.read(key, undefined, NEVER));
  }
  return { restic: new Restic(binary, folder, PASSWORD), snapshots };
}

async function sealerOf(store: ReadStore): Promise<Sealer> {
  for await (const { key } of store.list('keys/', NEVER)) {
    const opened = await openKeyFile(await store.read(key, undefined, NEVER), PASSWORD);
    if (opened !== undefined) return new Sealer(opened);
  }
  throw new Error('the repository has no key');
}

interface Group {
  readonly host: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  readonly keep: readonly string[];
  readonly remove: readonly string[];
  readonly reasons: readonly { readonly matches: readonly string[]; readonly counters: object }[];
}

async function resticPlan(restic: Restic, rules: KeepRules, grouping = 'host,paths'): Promise<Group[] | string> {
  const options = Object.entries(OPTIONS).flatMap(([key, option]) => {
    const value = rules[key as keyof typeof OPTIONS];
    return value === undefined ? [] : [option, value === Infinity ? 'unlimited' : String(value)];
  });
  const tags = (rules.tags ?? []).flatMap((tag) => ['--keep-tag', tag]);
  const all = ['--dry-run', '--json', '--group-by', grouping, ...options, ...tags];
  const { code, stdout, stderr } = await restic.attempt('forget', ...all);
  if (code !== 0) return stderr.includes('refusing to delete last snapshot') ? 'refused' : stderr;
  const groups = JSON.parse(stdout.split('\n')[0] ?? '') as ForgetGroup[];
  return groups.map(({ host, paths, tags, keep, remove, reasons }) => ({
    host,
    paths: paths ?? [],
    tags: tags ?? [],
    keep: (keep ?? []).map(({ id }) => id),
    remove: (remove ?? []).map(({ id }) => id),
    reasons: (reasons ?? []).map(({ matches, counters = ANY }) => ({ matches, counters })),
  }));
}

/** The groups in one order, with what snapshots are in the place of their ids: equal ones are interchangeable. */
function byTimes(plan: Group[] | string, snapshots: readonly Snapshot[]): Group[] | string {
  if (typeof plan === 'string') return plan;
  const names = new Map(snapshots.map(({ id, time, tags }) => [id, `${time} ${String(tags)}`]));
  const named = (ids: readonly string[]) => ids.map((id) => names.get(id) ?? id);
  const keyOf = ({ host, paths, tags }: Group) => JSON.stringify([host, paths, tags]);
  return plan
    .map((group) => ({ ...group, keep: named(group.keep), remove: named(group.remove) }))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Versions before 0.16 know `unlimited` not, and do not count the oldest snapshot for rules that are not satisfied. */
function withoutTheOldest(group: Group): Group {
  const [...reasons] = group.reasons;
  const last = reasons.pop();
  const matches = last?.matches.filter((reason) => !reason.startsWith('oldest ')) ?? [];
  if (last === undefined || matches.length === last.matches.length) return group;
  if (matches.length > 0) return { ...group, reasons: [...reasons, { matches, counters: ANY }] };
  return { ...group, reasons, keep: group.keep.slice(0, -1), remove: [...group.remove, ...group.keep.slice(-1)] };
}

function ourPlan(snapshots: readonly Snapshot[], rules: KeepRules, grouping: string): Group[] {
  const by = parseGroupBy(grouping) ?? BY_HOST_AND_PATHS;
  return groupSnapshots(snapshots, by).map(({ key, snapshots }) => {
    const plan = planRetention(snapshots, rules, new Date());
    return {
      host: key.hostname,
      paths: key.paths,
      tags: key.tags,
      keep: plan.keep.map(({ snapshot }) => snapshot.id),
      remove: plan.remove.map(({ id }) => id),
      reasons: plan.keep.map(({ reasons, counters }) => ({ matches: reasons, counters })),
    };
  });
}
