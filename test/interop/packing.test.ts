import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, which, Workplace } from '../fixtures/cli.ts';

const RESTIC = which('restic-0.18');
const MIB = 2 ** 20;

describe.skipIf(RESTIC === undefined)('New packs', () => {
  let place: Workplace;
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--no-cache');

  beforeAll(async () => {
    place = await Workplace.make();
    mkdirSync(place.path('data'));
    // Real text: made-up words compress no better for longer trying.
    copyFileSync(createRequire(import.meta.url).resolve('typescript'), place.path('data/text'));
    writeFileSync(place.path('data/noise'), randomBytes(44 * MIB));
  });
  afterAll(() => place[Symbol.asyncDispose]());

  /** A repository with one snapshot of it all. */
  async function backup(name: string, ...options: string[]): Promise<string> {
    const repository = place.path(name);
    await place.makeRepository(name);
    await place.ok('--repo', repository, ...options, 'backup', 'data');
    return repository;
  }

  /** Bytes of each pack, the largest first. */
  function packs(repository: string): number[] {
    const files = readdirSync(join(repository, 'data'), { recursive: true, encoding: 'utf8' });
    const sizes = files.map((file) => statSync(join(repository, 'data', file)));
    return sizes
      .filter((found) => found.isFile())
      .map(({ size }) => size)
      .sort((a, b) => b - a);
  }

  const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

  /** How many blobs of each type are stored compressed. */
  async function compressed(repository: string): Promise<Record<string, number>> {
    const found = { data: 0, tree: 0 };
    for (const id of (await restic('--repo', repository, 'list', 'index')).trim().split('\n')) {
      const [index] = messages(await place.ok('--repo', repository, 'cat', 'index', id)) as unknown as [
        { packs: { blobs: { type: 'data' | 'tree'; uncompressed_length?: number }[] }[] },
      ];
      for (const { type, uncompressed_length } of index.packs.flatMap(({ blobs }) => blobs))
        if (uncompressed_length !== undefined) found[type] += 1;
    }
    return found;
  }

  it('are compressed as asked, and restic finds them sound', async () => {
    const [off, auto, max] = [
      await backup('off', '--compression', 'off'),
      await backup('auto'),
      await backup('max', '--compression', 'max'),
    ];
    expect(total(packs(off))).toBeGreaterThan(total(packs(auto)) * 1.1);
    expect(total(packs(auto))).toBeGreaterThan(total(packs(max)));
    expect(await compressed(off)).toMatchObject({ data: 0 });
    expect((await compressed(off)).tree).toBeGreaterThan(0);
    for (const repository of [off, auto, max]) await restic('--repo', repository, 'check', '--read-data');
  });

  it('are as large as asked, in backups, copies and prunes', async () => {
    const small = await backup('small', '--pack-size', '4');
    const large = await backup('large', '--pack-size', '64');
    const full = packs(small).filter((size) => size >= 4 * MIB);
    expect(full.length).toBeGreaterThan(3);
    expect(full[0]).toBeLessThan(16 * MIB);
    expect(packs(large)[0]).toBeGreaterThan(16 * MIB);

    await place.makeRepository('copy');
    const from = ['--from-repo', small, '--from-password-command', 'printenv RESPALDO_PASSWORD'];
    await place.ok('--repo', place.path('copy'), '--pack-size', '32', 'copy', ...from);
    expect(packs(place.path('copy'))[0]).toBeGreaterThan(16 * MIB);

    await place.ok('--repo', small, '--pack-size', '64', 'prune', '--repack-small');
    expect(packs(small)[0]).toBeGreaterThan(16 * MIB);
    for (const repository of [small, large, place.path('copy')])
      await restic('--repo', repository, 'check', '--read-data');
  });

  it('follow the environment, where the command line says nothing', async () => {
    const repository = place.path('environment');
    await place.makeRepository('environment');
    const env = { RESTIC_COMPRESSION: 'max', RESPALDO_COMPRESSION: 'off', RESTIC_PACK_SIZE: '4' };
    const { code } = await place.start(['--repo', repository, 'backup', 'data'], env).ended;
    expect(code).toBe(0);
    expect(await compressed(repository)).toMatchObject({ data: 0 });
    expect(packs(repository)[0]).toBeLessThan(16 * MIB);
  });

  it.each([
    ['--pack-size', '3'],
    ['--pack-size', '129'],
    ['--pack-size', '16M'],
    ['--compression', 'more'],
  ])('are not made with %s %s', async (...option) => {
    const { code, stderr } = await place.respaldo('--repo', place.path('auto'), ...option, 'backup', 'data');
    expect(code).toBe(2);
    expect(stderr).toMatch(/is no number from 4 to 128|is none of off, auto, max/);
  });
});
