import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { which, Workplace } from '../fixtures/cli.ts';

const RESTIC = which('restic-0.18');

describe.skipIf(RESTIC === undefined)('A repository of version 1 that restic has made', () => {
  let place: Workplace;
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--no-cache');

  beforeAll(async () => {
    place = await Workplace.make();
    mkdirSync(place.path('data'));
    mkdirSync(place.path('temporary'));
    place.env.TMPDIR = place.path('temporary');
    writeFileSync(place.path('data/text'), 'compressible '.repeat(1_000_000));
    await restic('init', '-q', '--repository-version', '1');
    await restic('backup', '-q', 'data');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('becomes version 2 where both programs say that this applies, and leaves no copy behind', async () => {
    expect(await place.ok('migrate')).toMatch(/^upgrade_repo_v2 /);
    expect(await restic('migrate')).toContain('upgrade_repo_v2');
    expect((await place.respaldo('prune', '--repack-uncompressed')).code).toBe(2);
    expect(await place.ok('migrate', 'upgrade_repo_v2')).toContain('made the migration upgrade_repo_v2');
    expect(JSON.parse(await restic('cat', 'config'))).toMatchObject({ version: 2 });
    expect(await place.ok('migrate')).toContain('no migration applies');
    expect(await restic('migrate')).toContain('no migrations found');
    expect((await place.respaldo('migrate', 'upgrade_repo_v2')).code).toBe(2);
    expect(readdirSync(place.path('temporary'))).toEqual([]);
  });

  it('is compressed by a prune, and then found whole by restic', async () => {
    const size = async (): Promise<number> => Number(/(\d+)\s/.exec(await place.run('du', '-s', 'repository'))?.[1]);
    const before = await size();
    await place.ok('prune', '--repack-uncompressed');
    expect(await size()).toBeLessThan(before / 4);
    await restic('check', '--read-data');
    expect(await restic('dump', 'latest', '/data/text')).toHaveLength(13_000_000);
  });
});
