/** What restic writes, Respaldo checks, lists, prunes and continues. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRepository } from '../../src/repository/index.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import { asRead, type Files, findings, NEVER, noise, PASSWORD, readFiles, saveFiles } from '../fixtures/repository.ts';
import { Restic, RESTICS } from '../fixtures/restic.ts';

let folder: string;
let source: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-interop-'));
  source = await mkdtemp(join(tmpdir(), 'respaldo-source-'));
});
afterEach(() => Promise.all([folder, source].map((path) => rm(path, { recursive: true }))));

const FILES: Files = { text: 'the same line\n'.repeat(5000), noise: noise(1, 3_000_000), empty: '' };

async function put(files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(source, name), content);
}

/** What a snapshot of `source` reads as. */
function asSaved(files: Files): Record<string, string> {
  return asRead(Object.fromEntries(Object.entries(files).map(([name, content]) => [join(source, name), content])));
}

const kinds = [
  { version: 1, compression: 'auto' },
  { version: 2, compression: 'auto' },
  { version: 2, compression: 'off' },
];
const cases = RESTICS.flatMap((binary) => kinds.map((kind) => ({ binary, ...kind })));

describe.each(cases)('$binary, version $version, compression $compression', ({ binary, version, compression }) => {
  let restic: Restic;
  let repository: Repository;
  const backup = () => restic.run('backup', '--compression', compression, '--tag', 'a,b', source);
  beforeEach(async () => {
    restic = new Restic(binary, folder, PASSWORD);
    await restic.run('init', '--repository-version', String(version));
    repository = await openRepository(new LocalStore(folder), PASSWORD, {}, NEVER);
    await put(FILES);
    await backup();
  });
  afterEach(() => repository.close());

  test('a repository opens, lists, reads and checks clean', async () => {
    expect(repository.version).toBe(version);
    const [snapshot, ...others] = await repository.snapshots({}, NEVER);
    if (snapshot === undefined) throw new Error('no snapshot');
    expect(others).toEqual([]);
    expect(snapshot).toMatchObject({ tags: ['a', 'b'], paths: [source] });
    expect(await readFiles(repository, snapshot)).toEqual(asSaved(FILES));
    expect(await findings(repository, true)).toEqual([]);
  });

  test('it is pruned here, continued here, and sound to restic', async () => {
    const [first] = await repository.snapshots({}, NEVER);
    const changed: Files = { ...FILES, noise: noise(2, 2_000_000) };
    await put(changed);
    await backup();
    await repository.forget([first?.id ?? ''], NEVER);
    const plan = await repository.prune({ maxUnused: 0 }, () => true, NEVER);
    expect(plan.bytes.freed).toBeGreaterThan(2_900_000);
    await saveFiles(repository, { '/new': noise(3, 100_000) });
    await restic.run('check', '--read-data');
    const last = await repository.find('latest', { paths: [source] }, NEVER);
    expect(await readFiles(repository, last)).toEqual(asSaved(changed));
    expect(await findings(repository, true)).toEqual([]);
  });
});

describe.each(RESTICS)('locks of %s', (binary) => {
  let restic: Restic;
  let repository: Repository;
  beforeEach(async () => {
    restic = new Restic(binary, folder, PASSWORD);
    await restic.run('init');
    repository = await openRepository(new LocalStore(folder), PASSWORD, {}, NEVER);
  });
  afterEach(() => repository.close());

  test('a backup under way hinders a prune, not a check; once it is killed, `unlock` helps', async () => {
    const running = restic.start('backup', '--stdin');
    const ended = new Promise((resolve) => running.once('exit', resolve));
    try {
      await expect.poll(() => repository.locks(NEVER), { timeout: 60_000 }).toHaveLength(1);
      expect(await repository.locks(NEVER)).toMatchObject([{ pid: running.pid, exclusive: false }]);
      expect(await repository.unlock(false, NEVER)).toBe(0);
      await expect(repository.prune({ maxUnused: 0 }, () => true, NEVER)).rejects.toMatchObject({
        code: 'repository-locked',
        message: expect.stringContaining(`process ${running.pid}`) as string,
        hint: expect.stringContaining('respaldo unlock') as string,
      });
      expect(await findings(repository)).toEqual([]);
    } finally {
      running.kill('SIGKILL');
      await ended;
    }
    expect(await repository.unlock(false, NEVER)).toBe(1);
    await repository.prune({ maxUnused: 0 }, () => true, NEVER);
  });

  test('our exclusive lock stops it, our shared one does not; asking whether we live does not kill us', async () => {
    await saveFiles(repository, { '/a': 'a' });
    await repository.prune(
      { maxUnused: 0 },
      async () => {
        const { code, stderr } = await restic.attempt('backup', import.meta.dirname);
        expect(code).not.toBe(0);
        expect(stderr).toContain('locked exclusively');
        await restic.run('unlock');
        expect(await repository.locks(NEVER)).toHaveLength(1);
        return true;
      },
      NEVER,
    );
    for await (const _ of repository.check({ readData: false }, NEVER));
    await restic.run('backup', import.meta.dirname);
    expect(await repository.locks(NEVER)).toEqual([]);
  });
});
