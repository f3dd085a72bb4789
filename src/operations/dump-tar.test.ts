import { describe, expect, it } from 'vitest';
import { bench, type Bench } from '../../test/fixtures/bench.ts';
import { saveFiles } from '../../test/fixtures/repository.ts';
import type { ListedNode } from '../repository/repository.ts';
import { dumpTar } from './dump-tar.ts';

/** Lists what a source could not give: the port itself, with a node changed. */
function changing({ repository }: Bench, change: (node: ListedNode) => ListedNode): Bench['repository'] {
  return Object.create(repository, {
    content: { value: repository.content.bind(repository) },
    list: {
      value: async function* (...args: Parameters<Bench['repository']['list']>) {
        for await (const node of repository.list(...args)) yield change(node);
      },
    },
  }) as Bench['repository'];
}

describe('Dumping a folder', () => {
  it.each([-1, 1])('stops where a file is not as long as it claims: %d', async (by) => {
    await using here = await bench();
    const snapshot = await saveFiles(here.repository, { '/a/file': 'content' });
    const repository = changing(here, (node) => (node.type === 'file' ? { ...node, size: node.size + by } : node));
    const request = { snapshot, path: '/a', base: '/' };
    await expect(Array.fromAsync(dumpTar(request, { repository }, here.signal))).rejects.toMatchObject({
      code: 'repository-damaged',
      message: '/a/file is not as long as its record says',
    });
  });

  it('begins with the folder itself where that is wanted', async () => {
    await using here = await bench();
    const snapshot = await saveFiles(here.repository, { '/a/b/file': 'content' });
    const ports = { repository: here.repository };
    const names = async (isWhole: boolean): Promise<readonly string[]> => {
      const request = { snapshot, path: '/a/b', base: '/a', isWhole };
      const archive = Buffer.concat(await Array.fromAsync(dumpTar(request, ports, here.signal)));
      return archive.toString('latin1').match(/(?<!PaxHeaders\/)b\/(?:file)?(?=\0)/g) ?? [];
    };
    expect(await names(false)).toEqual(['b/file']);
    expect(await names(true)).toEqual(['b/', 'b/file']);
  });

  it('links further names of a file to the first, unless their content differs', async () => {
    await using here = await bench();
    const snapshot = await saveFiles(here.repository, { '/a': 'same', '/b': 'same', '/c': 'other' });
    const repository = changing(here, (node) => ({ ...node, links: 3, inode: 5n, deviceId: 1n }));
    const archive = Buffer.concat(
      await Array.fromAsync(dumpTar({ snapshot, path: '/', base: '/' }, { repository }, here.signal)),
    );
    const text = archive.toString('latin1');
    expect(text.split('same')).toHaveLength(2);
    expect(text).toContain('other');
    expect(archive.length % 512).toBe(0);
  });
});
