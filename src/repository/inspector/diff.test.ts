import { describe, expect, it } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { type Files, NEVER } from '../../../test/fixtures/repository.ts';
import { MemoryStore } from '../../stores/memory.ts';
import type { Difference } from '../repository.ts';
import { diff } from './diff.ts';

async function compare(before: Files, after: Files): Promise<{ changes: string[]; difference: Difference }> {
  const repository = new BareRepository(new MemoryStore());
  const [from, to] = [await repository.save(before), await repository.save(after)];
  const changes: string[] = [];
  const options = {
    metadata: true,
    onChange: ({ modifier, path }: { modifier: string; path: string }) => void changes.push(`${modifier} ${path}`),
  };
  const difference = await diff(repository.context, { snapshot: from }, { snapshot: to }, options, NEVER);
  return { changes, difference };
}

describe('A comparison', () => {
  it('tells content that changed although nothing else did', async () => {
    const { changes, difference } = await compare({ '/a/file': 'one' }, { '/a/file': 'two' });
    expect(changes).toEqual(['U /a/', 'M? /a/file']);
    expect(difference).toEqual({
      changedFiles: 1,
      added: { files: 0, dirs: 0, others: 0, dataBlobs: 1, treeBlobs: 2, bytes: expect.any(Number) as number },
      removed: { files: 0, dirs: 0, others: 0, dataBlobs: 1, treeBlobs: 2, bytes: expect.any(Number) as number },
    });
  });

  it("goes by the order of names' bytes", async () => {
    const [before, after] = [
      { '/\u{10000}': 'x', '/b/x': 'x' },
      { '/\uffff': 'x', '/a': 'x', '/b/x': 'x' },
    ];
    expect((await compare(before, after)).changes).toEqual(['+ /a', '+ /\uffff', '- /\u{10000}']);
  });

  it('counts no blob that lies in what both share', async () => {
    const { difference } = await compare({ '/s/x': 'same', '/t': 't' }, { '/s/x': 'same', '/copy': 'same' });
    expect([difference.added.dataBlobs, difference.removed.dataBlobs]).toEqual([0, 1]);
    expect(difference.removed).toMatchObject({ files: 1, dirs: 0, others: 0 });
  });

  it('of a snapshot with itself is nothing', async () => {
    const { changes, difference } = await compare({ '/a/b': 'x' }, { '/a/b': 'x' });
    expect(changes).toEqual([]);
    const nothing = { files: 0, dirs: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 };
    expect(difference).toEqual({ changedFiles: 0, added: nothing, removed: nothing });
  });
});
