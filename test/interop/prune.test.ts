import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, which, Workplace } from '../fixtures/cli.ts';

const RESTIC = which('restic-0.18');
const MIB = 2 ** 20;

/** Two programs look at the same repository, and say what they would do. */
describe.skipIf(RESTIC === undefined)('What a prune would repack and remove', () => {
  let place: Workplace;
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--no-cache');

  beforeAll(async () => {
    place = await Workplace.make();
    await place.makeRepository();
    mkdirSync(place.path('data'));
    const put = (name: string, size: number): void => writeFileSync(place.path(`data/${name}`), randomBytes(size));
    // Packs with more and less waste, some of them without compression, and a crowd of small ones. Each round fills less
    // than a pack, so that restic makes one of its data, of that size and with that waste wherever the content is cut: the
    // limits below lie hundreds of kilobytes from where they would choose otherwise, which is more than headers take; but
    // for 9M, which 9 MiB that cannot be compressed always exceed.
    for (let round = 0; round < 9; round++) {
      if (round < 4) for (let i = 0; i <= round; i++) put(`waste${i}`, 2 * MIB);
      put(`keep${round}`, round < 4 ? 5 * MIB : 50_000);
      const compression = round % 3 === 0 ? 'off' : 'auto';
      await restic('backup', '-q', 'data', '--compression', compression, '--host', String(round));
      for (let i = 0; i <= 4; i++) rmSync(place.path(`data/waste${i}`), { force: true });
    }
    const all = JSON.parse(await restic('snapshots', '--json')) as { id: string; hostname: string }[];
    const wasteful = all.filter(({ hostname }) => Number(hostname) < 4);
    await restic('forget', '-q', ...wasteful.map(({ id }) => id));
  }, 120_000);
  afterAll(() => place[Symbol.asyncDispose]());

  it.each([
    '',
    '--max-unused 0',
    '--max-unused 12%',
    '--max-unused 3M',
    '--max-unused unlimited',
    '--max-unused 0 --max-repack-size 12M',
    '--max-repack-size 0',
    '--repack-cacheable-only --max-unused 0',
    '--repack-uncompressed',
    '--repack-uncompressed --repack-cacheable-only',
    '--repack-small',
    '--repack-smaller-than 9M --max-unused unlimited',
  ])('is what restic says: %s', async (text) => {
    const options = text.split(' ').filter((word) => word !== '');
    const dry = ['prune', '--dry-run', '--no-lock', ...options];
    const [told, answer] = await Promise.all([restic(...dry, '-vv'), place.ok(...dry, '--json')]);
    const theirs = /to repack: +(\d+) packs\s+to delete: +(\d+) packs/.exec(told);
    const ours = messages(answer).at(-1);
    expect(ours).toMatchObject({ packfiles: { repack: Number(theirs?.[1]), remove: Number(theirs?.[2]) } });
    // Sizes may differ by what headers take; a choice of other packs would show.
    const size = /to repack: +\d+ blobs \/ ([\d.]+) (\w+)/.exec(told);
    const bytes = Number(size?.[1]) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(size?.[2] ?? '');
    const repack = (ours?.bytes as { repack: number }).repack;
    expect(Math.abs(repack - bytes)).toBeLessThan(20_000);
  });

  it('is carried out so that both find the repository whole, with nothing left to compress', async () => {
    await place.ok('prune', '--repack-uncompressed', '--max-repack-size', '10M');
    await place.ok('prune', '--repack-uncompressed', '--repack-small', '--max-unused', '0');
    await restic('check', '--read-data');
    const again = messages(await place.ok('prune', '--dry-run', '--json', '--repack-uncompressed')).at(-1);
    expect(again).toMatchObject({ packfiles: { repack: 0, remove: 0 }, bytes: { unused: 0 } });
    expect(await restic('prune', '--dry-run', '-vv', '--repack-uncompressed')).toMatch(/to repack: +0 packs/);
  });

  it('is planned by forget --prune --dry-run as though the snapshots were gone', async () => {
    const before = await place.ok('list', 'packs');
    const ours = await place.ok('forget', '--keep-last', '1', '--group-by', '', '--prune', '--dry-run', '--json');
    const plan = messages(ours).at(-1) as { packfiles: { remove: number; repack: number } };
    expect(plan.packfiles.remove + plan.packfiles.repack).toBeGreaterThan(0);
    expect(await place.ok('list', 'packs')).toBe(before);
    expect(await place.ok('snapshots', '--json')).toContain('"hostname":"4"');
  });
});
