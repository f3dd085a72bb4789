import { describe, expect, it } from 'vitest';
import { BareRepository } from '../../test/fixtures/bare-repository.ts';
import { NEVER } from '../../test/fixtures/repository.ts';
import { MemoryStore } from '../stores/memory.ts';
import type { Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import type { TagChange } from './repository.ts';
import { loadSnapshots } from './snapshots.ts';
import { HeldLock } from './storage/held-lock.ts';
import { tag } from './tags.ts';

const NOTHING = { add: [], remove: [] };

class Tagged extends BareRepository {
  tag(change: Partial<TagChange>, filter: SnapshotFilter = {}): Promise<readonly { before: string; after: string }[]> {
    return tag(this.context, filter, { ...NOTHING, ...change }, NEVER);
  }

  snapshots(): Promise<Snapshot[]> {
    return loadSnapshots(this.context.objects, NEVER);
  }

  async tags(): Promise<(readonly string[] | undefined)[]> {
    return (await this.snapshots()).map(({ tags }) => tags);
  }
}

describe('Changing tags', () => {
  it('makes a new record that remembers the first id, however often it is done', async () => {
    const repository = new Tagged(new MemoryStore());
    const { id, ...record } = await repository.save({ '/a': 'a' });
    const [first] = await repository.tag({ add: ['x', 'y', 'x'] });
    expect(first?.before).toBe(id);
    await repository.tag({ add: ['z'], remove: ['x'] });
    const [now] = await repository.snapshots();
    expect(now).toEqual({ ...record, id: expect.any(String) as string, tags: ['y', 'z'], original: id });
    expect(await repository.findings(true)).toEqual([]);
  });

  it('leaves a record alone that stays the same', async () => {
    const repository = new Tagged(new MemoryStore());
    await repository.save({ '/a': 'a' });
    await repository.tag({ set: ['x'] });
    expect(await repository.tag({ add: ['x'], remove: ['y'] })).toEqual([]);
  });

  it('forgets only on demand that something is missing', async () => {
    const repository = new Tagged(new MemoryStore());
    await repository.save({ '/a': 'a' });
    await repository.tag({ add: ['x', 'incomplete'] });
    await repository.tag({ set: ['y'] });
    expect(await repository.tags()).toEqual([['y', 'incomplete']]);
    await repository.tag({ remove: ['incomplete', 'y'] });
    expect(await repository.tags()).toEqual([undefined]);
  });

  it('waits for nobody: it refuses while another works', async () => {
    const repository = new Tagged(new MemoryStore());
    await repository.save({ '/a': 'a' });
    const other = await HeldLock.create(repository.context.objects, false, repository.context.clock, NEVER);
    await expect(repository.tag({ add: ['x'] })).rejects.toMatchObject({ code: 'repository-locked' });
    await other.release();
    expect(await repository.tags()).toEqual([undefined]);
  });
});
