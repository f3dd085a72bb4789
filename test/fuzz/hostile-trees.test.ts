/** Repositories whose trees mean harm to whoever restores them. */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RespaldoError } from '../../src/errors.ts';
import { check } from '../../src/repository/checker/check.ts';
import { setTimes } from '../../src/repository/filesystem/times.ts';
import type { Id } from '../../src/repository/format/id.ts';
import { encodeNode, goMode, type Node } from '../../src/repository/format/node.ts';
import { content } from '../../src/repository/restorer/content.ts';
import { list } from '../../src/repository/restorer/list.ts';
import { restore } from '../../src/repository/restorer/restore.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import { CraftedRepository, fileNode, folderNode, symlinkNode } from '../fixtures/crafted-repository.ts';
import { mutatedJson } from '../fixtures/mutations.ts';
import { NEVER } from '../fixtures/repository.ts';
import { compareTrees } from '../fixtures/tree.ts';

/** Folders of a chain: more than any stack holds, and than any path has room for. */
const DEEP = 6000;

let folder: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-hostile-'));
  target = join(folder, 'world/target');
  for (const world of ['world', 'before']) {
    await mkdir(join(folder, world, 'outside'), { recursive: true });
    await writeFile(join(folder, world, 'outside/file'), 'as it was');
    await writeFile(join(folder, world, 'file'), 'as it was');
    await symlink('outside', join(folder, world, 'link'));
    await chmod(join(folder, world, 'outside'), 0o711);
    for (const name of ['outside/file', 'outside', 'file', 'link']) setTimes(join(folder, world, name), 5n, 7n);
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Make = (repository: CraftedRepository) => Id;

/** Does everything to it that reads trees: each is done, or refused in words. */
async function endure(make: Make): Promise<void> {
  const repository = new CraftedRepository(new MemoryStore());
  const snapshot = repository.snapshot(make(repository));
  await repository.flush();
  const { context } = repository;
  const deeds = [
    async () => {
      for await (const node of list(context, snapshot, {}, NEVER)) {
        expect(node.path).not.toMatch(/\/\.{1,2}(\/|$)|\/\/|\0/);
        if (node.type === 'file') await Array.fromAsync(content(context, node, NEVER)).catch(expectWords);
      }
    },
    () => Array.fromAsync(check(context, { readData: false }, NEVER)),
    () => restore(context, snapshot, target, { include: [], exclude: [] }, NEVER),
    () => restore(context, snapshot, target, { include: [], exclude: [], overwrite: 'always' }, NEVER),
  ];
  for (const deed of deeds) await deed().catch(expectWords);
  await expectUntouched();
  await rm(target, { recursive: true, force: true });
}

function expectWords(error: unknown): void {
  if (!(error instanceof RespaldoError) || error.code === 'internal') throw error;
}

/** Nothing but the target is other than it was. */
async function expectUntouched(): Promise<void> {
  await mkdir(target, { recursive: true });
  await mkdir(join(folder, 'before/target'), { recursive: true });
  const differences = compareTrees(join(folder, 'world'), join(folder, 'before'));
  expect(differences.filter((line) => !/^"\/?target/.test(line))).toEqual([]);
}

function crafted(...nodes: readonly object[]): Make {
  return (repository) => {
    repository.data('content');
    return repository.rawTree(JSON.stringify({ nodes }));
  };
}

describe('A hostile tree', () => {
  it('that was changed anywhere harms nothing outside of the target', async () => {
    const sample = (repository: CraftedRepository) => {
      const id = repository.data('content');
      const inner = repository.tree(fileNode('inner', [id], { size: 7 }));
      const nodes: Node[] = [
        fileNode('file', [id, id], { size: 14, inode: 5n, deviceId: 7n, links: 2 }),
        fileNode('file again', [id, id], { size: 14, inode: 5n, deviceId: 7n, links: 2 }),
        folderNode('folder', inner, { extendedAttributes: [{ name: 'user.a', value: 'YQ==' }] }),
        symlinkNode('link', '../outside'),
        { ...fileNode('pipe', []), type: 'fifo', mode: goMode('fifo', 0o644) },
      ];
      return { nodes: nodes.map((node) => JSON.parse(encodeNode(node)) as unknown) };
    };
    const samples = [sample(new CraftedRepository(new MemoryStore()))];
    await fc.assert(
      fc.asyncProperty(mutatedJson(samples), async (json) => {
        await endure((repository) => {
          sample(repository);
          return repository.rawTree(Buffer.from(json).toString());
        });
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['a symlink, and a folder of the same name', ['link', 'link']],
    ['the same in names that are written differently', ['link', '\\x6cink']],
    ['a name that leads up', ['..', '../outside']],
    ['an absolute name', ['/tmp/outside', '']],
    ['names that are cut short by nothing', ['file\\x00', 'file\\u0000/../../outside']],
    ['names that are too long', ['x'.repeat(256), 'x'.repeat(100_000)]],
    ['names that only some file systems tell apart', ['LINK', 'link']],
  ])('with %s', async (_, [first = '', second = '']) => {
    const link = JSON.parse(encodeNode(symlinkNode('link', '../outside'))) as object;
    await endure((repository) => {
      const inner = repository.tree(fileNode('file', [repository.data('evil')], { size: 4 }));
      const below = JSON.parse(encodeNode(folderNode('link', inner))) as object;
      return crafted({ ...link, name: first }, { ...below, name: second })(repository);
    });
    await endure((repository) => {
      const evil = JSON.parse(encodeNode(fileNode('x', [repository.data('evil')], { size: 4 }))) as object;
      return crafted({ ...link, name: first }, { ...evil, name: second })(repository);
    });
  });

  it('of more levels than any path has is walked without end of the stack', async () => {
    await endure((repository) => {
      let tree = repository.tree(fileNode('bottom', []));
      for (let depth = 0; depth < DEEP; depth++) tree = repository.tree(folderNode('d', tree));
      return tree;
    });
  });

  it('of devices and special files that lie about themselves', async () => {
    const types = ['dev', 'chardev', 'fifo', 'socket', 'irregular', 'dir', 'symlink', 'file'] as const;
    await endure((repository) => {
      const nodes = types.flatMap((type) =>
        types.map((claims): Node => {
          const odd = { ...fileNode(`${type} as ${claims}`, []), type, mode: goMode(claims, 0o7777) };
          // All of one inode: none may become another name of what it is not.
          return { ...odd, device: 2n ** 64n - 1n, linkTarget: '../outside/file', inode: 1n, links: 9 };
        }),
      );
      return repository.tree(...nodes);
    });
  });

  it('whose files claim other sizes than they have, or content that is not there', async () => {
    await endure((repository) => {
      const content = [[], [repository.data('1234')], ['a'.repeat(64)]];
      const sizes = [0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER];
      const nodes = sizes.flatMap((size) => content.map((blobs, i) => fileNode(`${i} of ${size}`, blobs, { size })));
      return repository.tree(...nodes);
    });
  });
});
