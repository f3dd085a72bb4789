import { expect, test } from 'vitest';
import { MortalStore } from '../../../test/fixtures/mortal-store.ts';
import {
  asRead,
  findings,
  NEVER,
  newRepository,
  noise,
  PASSWORD,
  readFiles,
  saveFiles,
} from '../../../test/fixtures/repository.ts';
import type { Entry } from '../../domain/entry.ts';
import { MemoryStore } from '../../stores/memory.ts';
import { openRepository } from '../open.ts';

test('a backup that slept until its lock was taken for abandoned writes no snapshot', async () => {
  let slept = 0;
  const clock = { now: () => new Date(1_700_000_000_000 + slept), monotonic: () => slept };
  const repository = await newRepository(new MemoryStore(), { clock });
  async function* entries(): AsyncGenerator<Entry, void, undefined> {
    const times = { mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n };
    yield {
      kind: 'file',
      path: '/a',
      metadata: { mode: 0o644, uid: 0, gid: 0, ...times },
      content: [Buffer.from('a')],
    };
    slept = 60 * 60_000;
    await repository.unlock(true, NEVER);
  }
  const about = { time: clock.now(), hostname: 'host', username: 'maria', paths: ['/a'], tags: [], excludes: [] };
  await expect(repository.save(entries(), about, {}, NEVER)).rejects.toMatchObject({
    code: 'repository-locked',
    message: 'our lock on the repository was removed by somebody else',
  });
  expect(await repository.snapshots({}, NEVER)).toEqual([]);
  expect(await repository.locks(NEVER)).toEqual([]);
});

/** Each step is a backup with threads of its own. */
const MANY_BACKUPS = { timeout: 180_000 };

test(
  'a backup killed after any of its steps leaves a sound repository, and the next succeeds',
  MANY_BACKUPS,
  async () => {
    const original = new MortalStore();
    const before = { '/a': noise(1, 5000) };
    const first = await saveFiles(await newRepository(original), before);
    const after = { ...before, '/b/c': noise(2, 5000) };

    for (let step = 0, died = true; died; step++) {
      const store = await original.copy();
      const victim = await openRepository(store, PASSWORD, {}, NEVER);
      store.dieAfter(step);
      await saveFiles(victim, after).catch(() => undefined);
      died = store.isDead;
      store.revive();

      const repository = await openRepository(store, PASSWORD, {}, NEVER);
      // This process lives, so its locks count.
      await repository.unlock(true, NEVER);
      expect((await findings(repository)).filter(({ severity }) => severity === 'damage')).toEqual([]);
      for (const snapshot of await repository.snapshots({}, NEVER))
        expect(await readFiles(repository, snapshot)).toEqual(asRead(snapshot.id === first.id ? before : after));
      expect(await readFiles(repository, await saveFiles(repository, after))).toEqual(asRead(after));
      expect(step).toBeLessThan(20);
    }
  },
);
