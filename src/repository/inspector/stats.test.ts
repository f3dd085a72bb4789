import { describe, expect, it } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { NEVER, noise } from '../../../test/fixtures/repository.ts';
import { MemoryStore } from '../../stores/memory.ts';
import type { StatsMode, StoredStats } from '../repository.ts';
import { stats } from './stats.ts';

/** Two snapshots: the same file at two paths, one that changes, an empty one. */
async function counted(mode: StatsMode, version: 1 | 2 = 2): Promise<StoredStats> {
  const repository = new BareRepository(new MemoryStore(), version);
  const shared = { '/a': noise(1, 1000), '/sub/same': noise(1, 1000), '/sub/empty': '' };
  const snapshots = [
    await repository.save({ ...shared, '/changes': 'one' }),
    await repository.save({ ...shared, '/changes': 'other' }),
  ];
  return stats(repository.context, snapshots, mode, NEVER);
}

describe('Statistics', () => {
  it('of restore-size count every entry of every snapshot', async () => {
    expect(await counted('restore-size')).toEqual({ snapshots: 2, files: 10, bytes: 4008, blobs: 0 });
  });

  it('of files-by-contents count each content once, and no content as one more', async () => {
    expect(await counted('files-by-contents')).toEqual({ snapshots: 2, files: 4, bytes: 1008, blobs: 0 });
  });

  it('of blobs-per-file count the blobs of each path that brought something new', async () => {
    expect(await counted('blobs-per-file')).toEqual({ snapshots: 2, files: 2, bytes: 1008, blobs: 3 });
  });

  it.each([1, 2] as const)('of raw-data count what is stored once, in version %d', async (version) => {
    const { blobs, bytes, files, compression } = await counted('raw-data', version);
    // Three contents, two roots, one folder that both share.
    expect([blobs, files]).toEqual([6, 0]);
    expect(bytes).toBeGreaterThan(1008);
    if (version === 1) expect(compression?.uncompressed).toBe(0);
    else expect(compression?.uncompressed).toBeGreaterThan(bytes);
  });
});
