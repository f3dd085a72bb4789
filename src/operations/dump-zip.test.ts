import { expect, it } from 'vitest';
import { bench } from '../../test/fixtures/bench.ts';
import { saveFiles } from '../../test/fixtures/repository.ts';
import type { ListedNode, Repository } from '../repository/repository.ts';
import { dumpZip } from './dump-zip.ts';

it('stops where a file is not as long as it claims', async () => {
  await using here = await bench();
  const snapshot = await saveFiles(here.repository, { '/a/file': 'content' });
  const repository: Pick<Repository, 'list' | 'content'> = {
    content: (node, signal) => here.repository.content(node, signal),
    list: async function* (...args) {
      for await (const node of here.repository.list(...args))
        yield { ...node, size: node.size + 1 } satisfies ListedNode;
    },
  };
  const pieces = dumpZip({ snapshot, path: '/a', base: '/' }, { repository }, here.signal);
  await expect(Array.fromAsync(pieces)).rejects.toMatchObject({
    code: 'repository-damaged',
    message: '/a/file is not as long as its record says',
  });
});

it('may be left before its end', async () => {
  await using here = await bench();
  const snapshot = await saveFiles(here.repository, { '/file': Buffer.alloc(3_000_000, 'many words ') });
  let taken = 0;
  for await (const piece of dumpZip({ snapshot, path: '/', base: '/' }, here, here.signal)) {
    taken += piece.length;
    if (taken > 100) break;
  }
  expect(taken).toBeGreaterThan(100);
});
