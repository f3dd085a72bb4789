import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { MortalStore } from '../../../test/fixtures/mortal-store.ts';
import { asRead, type Files, NEVER, noise } from '../../../test/fixtures/repository.ts';
import type { CopySummary } from '../repository.ts';
import { loadSnapshots } from '../snapshots.ts';
import { packKey } from '../storage/objects.ts';
import { removeLocks } from '../storage/locks.ts';
import { copy } from './copy.ts';

const FILES: Files = { '/a': noise(1, 300_000), '/sub/b': 'b', '/sub/deep/c': 'same', '/sub/d': 'same', '/empty': '' };
const MORE: Files = { ...FILES, '/a': noise(2, 300_000), '/sub/new': 'new' };

async function sourceOf(...all: readonly Files[]): Promise<{ source: BareRepository; store: MortalStore }> {
  const store = new MortalStore();
  const source = new BareRepository(store);
  for (const files of all) await source.save(files);
  return { source, store };
}

function carry(source: BareRepository, target: BareRepository): Promise<CopySummary> {
  return copy(source.context, target.context, {}, {}, NEVER);
}

/** Everything that the target lists is whole, and is what the source has. */
async function expectCopies(target: BareRepository, ...all: readonly Files[]): Promise<void> {
  expect((await target.findings(true)).filter(({ severity }) => severity !== 'note')).toEqual([]);
  const copies = await loadSnapshots(target.context.objects, NEVER);
  const read = await Promise.all(copies.map((snapshot) => target.read(snapshot)));
  expect(read.map(digest)).toEqual(all.map(asRead).map(digest));
}

/** Short enough to be shown. */
function digest(files: Record<string, string>): string {
  const paths = Object.keys(files).sort();
  return hash('sha256', JSON.stringify(paths.map((path) => [path, files[path]])));
}

describe('A copy', () => {
  it.each([1, 2] as const)('into version %d is whole, under another key, and not made twice', async (version) => {
    const { source } = await sourceOf(FILES, MORE);
    const target = new BareRepository(new MortalStore(), version);
    expect(await carry(source, target)).toMatchObject({ copied: 2, skipped: 0 });
    await expectCopies(target, FILES, MORE);
    expect(await carry(source, target)).toEqual({ copied: 0, skipped: 2, blobs: 0, bytes: 0 });
  });

  it('brings only the blobs that are not there', async () => {
    const { source } = await sourceOf(FILES);
    const target = new BareRepository(new MortalStore());
    await target.save(FILES);
    expect(await carry(source, target)).toMatchObject({ copied: 1, blobs: 0 });
  });

  it('that is killed at any change lists nothing that is not whole, and can be made again', async () => {
    const { source } = await sourceOf(FILES, MORE);
    let finished = false;
    for (let changes = 0; !finished; changes++) {
      const store = new MortalStore();
      const target = new BareRepository(store);
      store.dieAfter(changes);
      finished = await carry(source, target).then(
        () => true,
        () => false,
      );
      store.revive();
      await removeLocks(target.context.objects, true, target.context.clock, NEVER);
      await removeLocks(source.context.objects, true, source.context.clock, NEVER);
      const listed = (await loadSnapshots(target.context.objects, NEVER)).length;
      await expectCopies(target, ...[FILES, MORE].slice(0, listed));
      await carry(source, target);
      await expectCopies(target, FILES, MORE);
      expect(changes).toBeLessThan(50);
    }
  });

  it('of what is damaged fails, names the blob, and lists nothing', async () => {
    const { source, store } = await sourceOf(FILES);
    const index = await source.context.loadIndex(NEVER);
    for (const { id, blobs } of index.packs()) {
      const blob = blobs.find(({ type }) => type === 'data');
      if (blob === undefined) continue;
      const bytes = (await store.read(packKey(id), undefined, NEVER)).slice();
      bytes[blob.offset + 20] = (bytes[blob.offset + 20] ?? 0) ^ 1;
      await store.write(packKey(id), bytes, NEVER);
      const target = new BareRepository(new MortalStore());
      await expect(carry(source, target)).rejects.toMatchObject({
        code: 'repository-damaged',
        message: expect.stringContaining(blob.id) as string,
      });
      expect(await loadSnapshots(target.context.objects, NEVER)).toEqual([]);
    }
  });
});
