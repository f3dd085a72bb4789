import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../catalog/catalog.ts';
import type { Plan } from '../domain/plan.ts';
import type { FoundFile } from './archive-files.ts';
import { planArchiveRetention } from './archive-retention.ts';

const SUM = { bytes: 10, sha256: '0'.repeat(64) };
const NOW = new Date('2026-03-01T00:00:00Z');

interface Day {
  readonly day: string;
  readonly database?: string;
  readonly chain?: { readonly id: string; readonly level: number; readonly parent?: string };
  readonly incomplete?: boolean;
  readonly state?: FoundFile['state'];
  readonly path?: string;
}

function file({ day, database = 'shop', chain, incomplete = false, state = 'whole', path }: Day): FoundFile {
  return {
    archive: 'here',
    key: `${database}-${day}${path ?? ''}`,
    state,
    manifest: {
      format: 1,
      file: `${database}-${day}`,
      plan: 'all',
      source: 'postgres',
      database,
      extension: 'sql',
      hostname: 'web1',
      time: `${day}T02:00:00.000Z`,
      run: day,
      program: 'respaldo',
      plain: SUM,
      stored: SUM,
      compression: { name: 'none' },
      versions: {},
      facts: { ...(path !== undefined && { path }), ...(incomplete && { incomplete: 'some' }) },
      ...(chain && { chain }),
      restore: 'cat',
    },
  };
}

const plan: Plan & { name: string } = {
  name: 'all',
  sources: [{ address: './x' }],
  folder: '/',
  type: 'auto',
  tags: [],
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
};

async function outlook(
  days: readonly Day[],
  rules: Pick<Plan, 'keep' | 'calendar'> = { keep: { last: 1 } },
  run?: RunRecord,
  evenIfFailing = false,
) {
  const request = {
    plan: { ...plan, ...rules },
    archive: 'here',
    location: '/here',
    files: days.map(file),
    hostname: 'web1',
    evenIfFailing,
    now: NOW,
  };
  const { remove, hold, groups } = await planArchiveRetention(request, {
    runs: () => Promise.resolve(run ? [run] : []),
  });
  return { goes: remove.map(({ key }) => key), hold, groups };
}

describe('the files of a plan in an archive', () => {
  it('go by its rules, each database by itself, those of other hosts and plans never', async () => {
    const days = [{ day: '2026-02-01' }, { day: '2026-02-01', database: 'blog' }, { day: '2026-02-02' }];
    expect((await outlook(days)).goes).toEqual(['shop-2026-02-01']);
    expect((await outlook(days, { calendar: { daily: 0, weekly: 0, monthly: 0, yearly: 1, full: 0 } })).goes).toEqual([
      'shop-2026-02-01',
    ]);
    expect((await outlook(days, {})).goes).toEqual([]);
    const strange = { ...file({ day: '2026-01-01' }) };
    const request = {
      plan: { ...plan, keep: { last: 1 } },
      archive: 'here',
      location: '/here',
      hostname: 'other',
      evenIfFailing: false,
      now: NOW,
    };
    const nobody = { runs: () => Promise.resolve([]) };
    expect(
      (await planArchiveRetention({ ...request, files: [strange, file({ day: '2026-01-02' })] }, nobody)).remove,
    ).toEqual([]);
  });

  it('keep the last complete one, whatever is newer, and do not count what is damaged', async () => {
    const days: Day[] = [
      { day: '2026-02-01' },
      { day: '2026-02-02', incomplete: true },
      { day: '2026-02-03', state: 'resized' },
    ];
    expect((await outlook(days)).goes).toEqual([]);
    expect((await outlook([...days, { day: '2026-02-04' }])).goes).toEqual(['shop-2026-02-02', 'shop-2026-02-01']);
  });

  it('of databases of one name on several servers are several', async () => {
    const [one, other] = ['/postgresql/one:5432', '/postgresql/other:5432'];
    const days = ['2026-02-01', '2026-02-02'].flatMap((day) => [one, other].map((path) => ({ day, path })));
    expect((await outlook(days)).goes).toEqual([`shop-2026-02-01${one}`, `shop-2026-02-01${other}`]);
  });

  it('keep what others that stay build upon, and go from the end of a chain', async () => {
    const chain = (id: string, days: readonly string[]): Day[] =>
      days.map((day, level) => ({ day, chain: { id, level, ...(level > 0 && { parent: days[level - 1] ?? '' }) } }));
    const first = chain('a', ['2026-02-01', '2026-02-02', '2026-02-03']);
    const second = chain('b', ['2026-02-04', '2026-02-05', '2026-02-06']);
    const { goes, groups } = await outlook([...first, ...second]);
    expect(goes).toEqual(['shop-2026-02-03', 'shop-2026-02-02', 'shop-2026-02-01']);
    expect(groups[0]?.verdicts.filter(({ kept }) => kept).map(({ reasons }) => reasons[0])).toEqual([
      'last snapshot',
      'others that stay build upon it',
      'others that stay build upon it',
    ]);
  });

  it('all stay while the last backup to the archive failed', async () => {
    const days = [{ day: '2026-02-01' }, { day: '2026-02-02' }];
    const failed: RunRecord = {
      id: 1,
      operation: 'backup',
      subject: 'all',
      repository: '/here',
      startedAt: NOW,
      outcome: { state: 'failed', finishedAt: NOW },
    };
    expect(await outlook(days, undefined, failed)).toMatchObject({ goes: [], hold: 'the last backup failed' });
    expect((await outlook(days, undefined, { ...failed, repository: '/elsewhere' })).goes).toHaveLength(1);
    expect((await outlook(days, undefined, failed, true)).goes).toHaveLength(1);
  });
});
