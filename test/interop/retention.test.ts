import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { KeepRules } from '../../src/domain/plan.ts';
import { keepsNothing, planRetention } from '../../src/domain/retention.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { BY_HOST_AND_PATHS, groupSnapshots } from '../../src/domain/snapshot-group.ts';
import { Sealer } from '../../src/repository/format/crypto.ts';
import { openKeyFile } from '../../src/repository/format/key.ts';
import { encodeSnapshot } from '../../src/repository/format/snapshot-record.ts';
import { formatTime } from '../../src/repository/format/time.ts';
import { Objects } from '../../src/repository/storage/objects.ts';
import { LocalStore } from '../../src/stores/local.ts';
import { NEVER, PASSWORD, newRepository, saveFiles } from '../fixtures/repository.ts';
import { RESTICS, Restic } from '../fixtures/restic.ts';

/** What `restic forget --dry-run --json` says of one group, in the order in which it says it. */
interface ForgetGroup {
  readonly host: string;
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

let folder: string | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

describe.each(RESTICS)('planRetention beside %s', (binary) => {
  const isOld = versionOf(binary) < 0.16;
  const expected = (snapshots: readonly Snapshot[], rules: KeepRules) => {
    const plan = ourPlan(snapshots, rules);
    if (!isOld && plan.some(({ keep }) => keep.length === 0)) return 'refused';
    return isOld ? plan.map(withoutTheOldest) : plan;
  };

  it.each(['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'])(
    'keeps and removes the same snapshots for the same reasons in the zone %s',
    async (zone) => {
      vi.stubEnv('TZ', zone);
      const { restic, snapshots } = await makeRepository(binary, fc.sample(fc.tuple(...HOSTS), 1)[0] ?? []);
      await fc.assert(
        fc.asyncProperty(rulesOf(!isOld), async (rules) => {
          expect(await resticPlan(restic, rules)).toEqual(expected(snapshots, rules));
        }),
        { numRuns: 6, endOnFailure: true },
      );
    },
  );

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
      histories.map((times) => times.map((time) => ({ time, tags: [] }))),
    );
    for (const within of ['30d', '1m', '2m', '1m1h', '30d1h', '1y']) {
      const rules = { within, withinHourly: within };
      expect(await resticPlan(restic, rules)).toEqual(expected(snapshots, rules));
    }
  });
});

function versionOf(binary: string): number {
  return Number(/restic (\d+\.\d+)/.exec(execFileSync(binary, ['version'], { encoding: 'utf8' }))?.[1]);
}

interface Taken {
  readonly time: string;
  readonly tags: readonly string[];
}

/** Times as this machine writes them, and as others in other zones do; dense and sparse; a few from the future. */
function history(first: string, days: number): fc.Arbitrary<Taken[]> {
  const zone = fc.constantFrom('local', 'local', 'local', 'Z', '+05:45', '-03:30', '+14:00');
  const time = fc
    .record({
      at: fc.integer({ min: 0, max: days * 24 * 60 }),
      ns: fc.constantFrom(0, 1, 123_456_789, 999_999_999),
      zone,
    })
    .map(({ at, ns, zone }) => inZone(BigInt(Date.parse(first) + at * 60_000) * 1_000_000n + BigInt(ns), zone));
  const tags = fc.subarray(['a', 'b', 'c']);
  return fc.uniqueArray(fc.record({ time, tags }), {
    minLength: 1,
    maxLength: 40,
    selector: ({ time }) => Date.parse(time),
  });
}

const HOSTS = [
  history('2024-12-20T00:00:00Z', 3),
  history('2024-12-20T00:00:00Z', 30),
  history('2024-01-01T00:00:00Z', 400),
  history('2015-01-01T00:00:00Z', 3650),
  history('2022-06-01T00:00:00Z', 20_000),
  history('2090-01-01T00:00:00Z', 100),
];

function rulesOf(unlimited: boolean): fc.Arbitrary<KeepRules> {
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
    .filter((rules) => !keepsNothing(rules));
}

function inZone(ns: bigint, zone: string): string {
  if (zone === 'local') return formatTime(ns);
  const offset =
    zone === 'Z' ? 0 : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  const wall = new Date(Number(ns / 1_000_000n) + offset * 60_000).toISOString().slice(0, 19);
  return `${wall}.${String(ns % 1_000_000_000n).padStart(9, '0')}${zone}`;
}

/** One repository with one host for each history. */
async function makeRepository(binary: string, histories: readonly (readonly Taken[])[]) {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-retention-'));
  const store = new LocalStore(folder);
  const repository = await newRepository(store);
  const model = await saveFiles(repository, { '/a': 'a' });
  await repository.forget([model.id], NEVER);
  await repository.close();
  const objects = new Objects(store, await sealerOf(store), 2);
  const snapshots: Snapshot[] = [];
  for (const [i, records] of histories.entries()) {
    for (const { time, tags } of records) {
      const record = { ...model, hostname: `host-${i}`, time, tags };
      snapshots.push({ ...record, id: await objects.save('snapshot', encodeSnapshot(record), NEVER) });
    }
  }
  return { restic: new Restic(binary, folder, PASSWORD), snapshots };
}

async function sealerOf(store: LocalStore): Promise<Sealer> {
  for await (const { key } of store.list('keys/', NEVER)) {
    const opened = await openKeyFile(await store.read(key, undefined, NEVER), PASSWORD);
    if (opened !== undefined) return new Sealer(opened);
  }
  throw new Error('the repository has no key');
}

async function resticPlan(restic: Restic, rules: KeepRules) {
  const options = Object.entries(OPTIONS).flatMap(([key, option]) => {
    const value = rules[key as keyof typeof OPTIONS];
    return value === undefined ? [] : [option, value === Infinity ? 'unlimited' : String(value)];
  });
  const tags = (rules.tags ?? []).flatMap((tag) => ['--keep-tag', tag]);
  const { code, stdout, stderr } = await restic.attempt('forget', '--dry-run', '--json', ...options, ...tags);
  if (code !== 0) return stderr.includes('refusing to delete last snapshot') ? 'refused' : stderr;
  const groups = JSON.parse(stdout.split('\n')[0] ?? '') as ForgetGroup[];
  return groups
    .map(({ host, keep, remove, reasons }) => ({
      host,
      keep: (keep ?? []).map(({ id }) => id),
      remove: (remove ?? []).map(({ id }) => id),
      reasons: (reasons ?? []).map(({ matches, counters = ANY }) => ({ matches, counters })),
    }))
    .sort((a, b) => a.host.localeCompare(b.host));
}

/** Versions before 0.16 know `unlimited` not, and do not count the oldest snapshot for rules that are not satisfied. */
function withoutTheOldest(group: ReturnType<typeof ourPlan>[number]): ReturnType<typeof ourPlan>[number] {
  const [...reasons] = group.reasons;
  const last = reasons.pop();
  const matches = last?.matches.filter((reason) => !reason.startsWith('oldest ')) ?? [];
  if (last === undefined || matches.length === last.matches.length) return group;
  if (matches.length > 0) return { ...group, reasons: [...reasons, { matches, counters: ANY }] };
  return { ...group, reasons, keep: group.keep.slice(0, -1), remove: [...group.remove, ...group.keep.slice(-1)] };
}

function ourPlan(snapshots: readonly Snapshot[], rules: KeepRules) {
  return groupSnapshots(snapshots, BY_HOST_AND_PATHS)
    .map(({ key, snapshots }) => {
      const plan = planRetention(snapshots, rules, new Date());
      return {
        host: key.hostname,
        keep: plan.keep.map(({ snapshot }) => snapshot.id),
        remove: plan.remove.map(({ id }) => id),
        reasons: plan.keep.map(({ reasons, counters }) => ({ matches: reasons, counters })),
      };
    })
    .sort((a, b) => a.host.localeCompare(b.host));
}
