import { chmod, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';
import { onTerminal, SCRIPT } from '../fixtures/terminal.ts';

/** The dates are long past: their plans have no schedule, or they would all be overdue. */
const CONFIG = `# Ours.
repositories:
  main: { url: ./repository }

plans:
  shop:
    source: ./data   # everything
    time-zone: UTC
    calendar: { daily: 2, weekly: 1, monthly: 1 }
  other:
    source: ./data/sub
`;

interface Told {
  readonly plan: string;
  readonly basis: string;
  readonly hold?: string;
  readonly remove: number;
  readonly bytes_freed: number;
  readonly snapshots: readonly { readonly time: string; readonly keep: boolean; readonly reasons: readonly string[] }[];
}

describe('The retention of plans', () => {
  let place: Workplace;
  const judged = async (...argv: string[]): Promise<Told> => {
    const [told] = JSON.parse(await place.ok('retention', 'show', 'shop', '--json', ...argv)) as Told[];
    if (told === undefined) throw new Error('nothing was told');
    return told;
  };
  const daysOf = ({ snapshots }: Told, keep: boolean): string[] =>
    snapshots.filter((one) => one.keep === keep).map(({ time }) => time.slice(5, 10));

  beforeAll(async () => {
    place = await Workplace.withRepository();
    await writeFile(place.path('respaldo.yaml'), CONFIG, { mode: 0o640 });
    // 2025-06-01 is a Sunday.
    for (const day of ['05-30', '05-31', '06-01', '06-02', '06-03', '06-04']) {
      await writeFile(place.path('data/day'), `${day} `.repeat(2000));
      await place.ok('backup', 'shop', '--time', `2025-${day} 02:00:00`);
    }
    await place.ok('backup', 'other', '--time', '2020-01-01');
    await place.ok('backup', 'data', '--time', '2020-01-01');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('is shown with its reasons before anything is changed', async () => {
    const told = await judged();
    expect(told).toMatchObject({ plan: 'shop', basis: 'calendar', remove: 2 });
    expect(told.snapshots.map(({ reasons }) => reasons[0])).toEqual([
      'daily 1 of 2',
      'daily 2 of 2',
      'daily keeps 2 newer',
      'weekly 1 of 1',
      'daily keeps 2 newer',
      'full 1 of 3',
    ]);
    expect(told.bytes_freed).toBeGreaterThan(0);
    const table = await place.ok('retention', 'apply', '--dry-run');
    expect(table).toMatch(/^plan shop, calendar: daily 2, weekly 1, monthly 1, yearly 0, full 3, days of UTC\n/);
    expect(table).toMatch(/ goes +daily keeps 2 newer\n/);
    expect(table).toContain('4 snapshots to stay, 2 to go, ');
    expect(table).toContain('plan other, no rules');
    expect(table).toContain('nothing was changed');
    expect(await judged()).toEqual(told);
  });

  it('is changed in respaldo.yaml, a link to it too, which keeps its comments, its mode and all other lines', async () => {
    await symlink('respaldo.yaml', place.path('link.yaml'));
    const tried = await place.ok('retention', 'set', 'shop', '--daily', '3', '--dry-run');
    expect(tried).toContain('daily 3, weekly 1');
    expect(tried).toMatch(/2025-06-02 .* stays +daily 3 of 3\n/);
    expect(tried).toMatch(/2025-05-31 .* goes +daily keeps 3 newer\n/);
    expect(tried).toMatch(/5 snapshots to stay, 1 to go, .* to be freed\n/);
    const json = await place.ok('retention', 'set', 'shop', '--daily', '3', '--dry-run', '--json');
    expect(JSON.parse(json)).toMatchObject({ written: false, outlook: { plan: 'shop', remove: 1 } });
    const nowhere = ['--repo', './nowhere', '--dry-run'];
    expect(await place.ok('retention', 'set', 'shop', '--daily', '3', ...nowhere)).toContain('daily 3, weekly 1');
    expect(await readFile(place.path('respaldo.yaml'), 'utf8')).toBe(CONFIG);
    await place.ok('retention', 'set', 'shop', '--daily', '1', '--full', '0', '--config', 'link.yaml');
    const changed = 'calendar: { daily: 1, weekly: 1, monthly: 1, full: 0 }';
    expect(await readFile(place.path('respaldo.yaml'), 'utf8')).toBe(CONFIG.replace(/calendar: .*/, changed));
    expect((await stat(place.path('respaldo.yaml'))).mode & 0o777).toBe(0o640);
    expect((await readdir(place.folder)).filter((name) => name.includes('.yaml.'))).toEqual([]);
    expect(daysOf(await judged(), true)).toEqual(['06-04', '06-01']);
  });

  it.each<[string, string[], string]>([
    ['no rule', ['shop'], 'no rule was given'],
    ['rules of both kinds', ['shop', '--daily', '1', '--keep-last', '1'], 'not both'],
    ['rules of the other kind', ['shop', '--keep-last', '1'], '--replace takes keep: in its place'],
    ['a plan that there is not', ['shopp', '--daily', '1'], 'did you mean shop?'],
    ['no plan where there are several', ['--daily', '1'], 'there are several plans'],
    ['what is no number', ['shop', '--daily', 'many'], 'whole number'],
    ['rules that keep nothing', ['shop', '--daily', '0', '--weekly', '0', '--monthly', '0'], 'must keep something'],
  ])('is not set by %s', async (_what, argv, message) => {
    const before = await readFile(place.path('respaldo.yaml'), 'utf8');
    const { code, stderr } = await place.respaldo('retention', 'set', ...argv);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(await readFile(place.path('respaldo.yaml'), 'utf8')).toBe(before);
  });

  it('holds while the last backup failed, and says so', async () => {
    await chmod(place.path('respaldo.yaml'), 0o600);
    const config = await readFile(place.path('respaldo.yaml'), 'utf8');
    await writeFile(place.path('respaldo.yaml'), config.replace('./data ', './gone '));
    expect((await place.respaldo('backup', 'shop')).code).toBe(1);
    await writeFile(place.path('respaldo.yaml'), config);
    const held = await judged();
    expect(held).toMatchObject({ hold: 'the last backup failed', remove: 0 });
    expect(await place.ok('retention', 'apply')).toContain('nothing goes: the last backup failed');
    expect(daysOf(await judged(), true)).toHaveLength(6);
    expect(JSON.parse(await place.ok('forget', '--json', '--dry-run'))).toMatchObject([{ remove: null }]);
    expect(daysOf(await judged('--even-if-failing'), false)).toEqual(['06-03', '06-02', '05-31', '05-30']);
    const [shop] = JSON.parse(await place.ok('summary', 'shop', '--json')) as object[];
    expect(shop).toMatchObject({ last_run: { state: 'failed' }, retention: { hold: 'the last backup failed' } });
  });

  it.skipIf(SCRIPT === undefined)('asks whoever sits at a terminal, and drops nothing without a yes', async () => {
    const before = await place.ok('snapshots', '--json');
    const asked = [/Drop 4 snapshots\?/, '\r'] as const;
    const { code, stdout } = await onTerminal(place, ['retention', 'apply', '--even-if-failing'], {}, [asked]);
    expect([code, stdout]).toEqual([130, expect.stringMatching(/goes[^]*Drop 4 snapshots\?[^]*nothing was changed/)]);
    expect(await place.ok('snapshots', '--json')).toBe(before);
  });

  it('drops what was shown, frees its space, and touches nothing else', async () => {
    const refused = await place.respaldo('retention', 'apply', '--even-if-failing', '--prune');
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('this would drop 4 snapshots, and nobody'),
    ]);
    const told = await place.ok('retention', 'apply', '--even-if-failing', '--prune', '--yes');
    expect(told).toContain('dropped 4 snapshots of shop');
    expect(told).toMatch(/freed \d|wrote \d/);
    const left = JSON.parse(await place.ok('snapshots', '--json')) as { time: string }[];
    expect(left.map(({ time }) => time.slice(0, 10))).toEqual(['2020-01-01', '2020-01-01', '2025-06-01', '2025-06-04']);
    await place.ok('check');
  });
});

describe('A name', () => {
  it('stands for one snapshot, and passes to another one only where that is asked for', async () => {
    await using place = await Workplace.withRepository();
    await place.ok('backup', 'data', '--full', '--name', 'before_it');
    const [first] = JSON.parse(await place.ok('snapshots', '--json')) as { id: string; tags: string[] }[];
    expect(first?.tags).toEqual(['name=before_it']);
    expect(await place.ok('ls', '-q', 'before_it')).toContain('/data/a.txt\n');
    const refused = await place.respaldo('backup', 'data', '--name', 'before_it');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('named before_it already')]);

    await place.ok('backup', 'data', '--name', 'before_it', '--overwrite');
    const [second, ...others] = JSON.parse(await place.ok('snapshots', '--json')) as { id: string }[];
    expect(others).toEqual([]);
    expect(second?.id).not.toBe(first?.id);
    const several = await place.respaldo('backup', 'data', '--name', 'deadbeef');
    expect([several.code, several.stderr]).toEqual([2, expect.stringContaining('beginning of an id')]);
    const contrary = await place.respaldo('backup', 'data', '--full', '--type', 'incremental');
    expect([contrary.code, contrary.stderr]).toEqual([2, expect.stringContaining('contradict')]);
  });
});

describe('The summary', () => {
  it('without plans is one of each host and set of paths', async () => {
    await using place = await Workplace.withRepository();
    expect(await place.ok('summary')).toBe('no snapshots\n');
    await place.ok('backup', 'data', '--host', 'web1', '--time', '2025-06-03');
    const told: unknown = JSON.parse(await place.ok('summary', '--json'));
    expect(told).toMatchObject([{ hostname: 'web1', paths: [place.path('data')], snapshots: 1, raw_bytes: 300_006 }]);
    expect(await place.ok('summary')).toMatch(/on web1 .*\n[^]*1 source\n$/);
  });

  it('tells how every plan fares', async () => {
    await using place = await Workplace.withRepository();
    const late = CONFIG.replace('time-zone: UTC', 'time-zone: UTC\n    schedule: "0 2 * * *"');
    await writeFile(place.path('respaldo.yaml'), late, { mode: 0o600 });
    await place.ok('backup', 'shop', '--time', '2025-06-03 02:00:00');
    await place.ok('backup', 'shop', '--time', '2025-06-04 02:00:00');
    const [shop, other] = JSON.parse(await place.ok('summary', '--json')) as Record<string, unknown>[];
    expect(shop).toMatchObject({
      plan: 'shop',
      last_success: { time: '2025-06-04T02:00:00Z', type: 'incremental', proof: 'stored' },
      last_run: { state: 'succeeded' },
      schedule: { expression: '0 2 * * *', time_zone: 'UTC', due_since: '2025-06-05T02:00:00.000Z', overdue: true },
      snapshots: 2,
      source_bytes: 300_006,
      raw_bytes: 600_012,
      retention: { basis: 'calendar', keep: 2, remove: 0 },
    });
    expect(other).toMatchObject({ plan: 'other', snapshots: 0, retention: { basis: 'nothing' } });
    const table = await place.ok('summary');
    expect(table).toMatch(/overdue since 2025-06-05 02:00:00/);
    expect(table).toContain('2 plans');
    await place.run('rm', '-r', place.path('state'));
    expect(JSON.parse(await place.ok('retention', 'show', 'shop', '--json'))).toMatchObject([
      { hold: expect.stringContaining('overdue') as string },
    ]);
  });
});
