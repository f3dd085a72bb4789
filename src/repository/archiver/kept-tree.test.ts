import { describe, expect, it } from 'vitest';
import {
  asRead,
  findings,
  NEVER,
  newRepository,
  noise,
  readFiles,
  saveFiles,
} from '../../../test/fixtures/repository.ts';
import type { Entry } from '../../domain/entry.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { MemoryStore } from '../../stores/memory.ts';
import type { Repository, Saved } from '../repository.ts';

const metadata = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n };
const BEFORE = { '/data/a': noise(1, 5000), '/data/deep/b': noise(2, 300_000), '/other': noise(3, 5000) };

function saveUpon(repository: Repository, parent: Snapshot | undefined, paths: readonly string[]): Promise<Saved> {
  async function* entries(): AsyncGenerator<Entry> {
    await Promise.resolve();
    for (const path of paths) yield { kind: 'kept-tree', path };
    yield { kind: 'file', path: '/new/file', metadata, content: [Buffer.from('new')] };
  }
  const about = { time: new Date(), hostname: 'host', username: 'maria', paths: ['/'], tags: [], excludes: [] };
  return repository.save(entries(), { ...about, ...(parent && { parent }) }, {}, NEVER);
}

describe('What is taken over from the parent snapshot', () => {
  it('is in the new one as it was, stores nothing, and stays when the parent is gone', async () => {
    const repository = await newRepository(new MemoryStore());
    const parent = await saveFiles(repository, BEFORE);
    const { snapshot, summary } = await saveUpon(repository, parent, ['/data/deep', '/other']);
    expect(summary).toMatchObject({ filesNew: 1, filesUnmodified: 2, filesChanged: 0, dataBlobs: 1 });
    expect(summary.totalBytesProcessed).toBe(305_003);
    await repository.forget([parent.id], NEVER);
    await repository.prune({ maxUnused: 0 }, () => true, NEVER);
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const { '/data/deep/b': b, '/other': other } = BEFORE;
    expect(await readFiles(repository, snapshot)).toEqual(
      asRead({ '/data/deep/b': b, '/other': other, '/new/file': 'new' }),
    );
    expect(await findings(repository, true)).toEqual([]);
  });

  it.each([
    ['is not in it', ['/data/none']],
    ['leads through a file', ['/other/none']],
  ])('ends the backup where it %s', async (_what, paths) => {
    const repository = await newRepository(new MemoryStore());
    const parent = await saveFiles(repository, BEFORE);
    await expect(saveUpon(repository, parent, paths)).rejects.toMatchObject({ code: 'repository-damaged' });
    await expect(saveUpon(repository, undefined, ['/data'])).rejects.toMatchObject({ code: 'repository-damaged' });
    expect(await repository.snapshots({}, NEVER)).toHaveLength(1);
  });

  it('ends the backup where the repository has lost any of it', async () => {
    const repository = await newRepository(new MemoryStore());
    const parent = await saveFiles(repository, BEFORE);
    await repository.forget([parent.id], NEVER);
    // Another snapshot keeps the trees' neighbours, not all that is wanted.
    await saveFiles(repository, { '/data/a': BEFORE['/data/a'] });
    await repository.prune({ maxUnused: 0 }, () => true, NEVER);
    await expect(saveUpon(repository, parent, ['/data'])).rejects.toMatchObject({ code: 'repository-damaged' });
  });
});
