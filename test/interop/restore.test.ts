/** What restic has stored is restored here exactly, and what is selected is what restic selects. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareNames } from '../../src/domain/name.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { openRepository } from '../../src/repository/index.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import { NEVER, PASSWORD } from '../fixtures/repository.ts';
import { Restic, RESTICS } from '../fixtures/restic.ts';
import { compareTrees, makeHostileTree } from '../fixtures/tree.ts';

let folder: string;
let source: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'respaldo-restore-'));
  source = join(folder, 'source');
  makeHostileTree(source);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function saved(binary: string, name: string, version: number, ...options: readonly string[]) {
  const restic = new Restic(binary, join(folder, name), PASSWORD);
  await restic.run('init', '--repository-version', String(version));
  await restic.run('backup', ...options, source);
  const repository = await openRepository(new LocalStore(join(folder, name)), PASSWORD, {}, NEVER);
  return { restic, repository, snapshot: await repository.find('latest', {}, NEVER) };
}

const kinds = [
  { version: 1, compression: 'auto' },
  { version: 2, compression: 'off' },
  { version: 2, compression: 'auto' },
  { version: 2, compression: 'max' },
];
const cases = RESTICS.flatMap((binary) => kinds.map((kind) => ({ binary, ...kind })));

test.each(cases)(
  'everything of $binary, version $version, compression $compression, comes back exactly',
  async ({ binary, version, compression }) => {
    const name = `${binary}-${version}-${compression}`;
    const { repository, snapshot } = await saved(binary, name, version, '--compression', compression);
    const target = join(folder, `${name}-target`);
    const restored = await repository.restore(snapshot, target, { include: [], exclude: [] }, NEVER);
    const differences = compareTrees(source, join(target, source));
    expect(differences.filter((line) => !(binary === 'restic' && lostByOldRestic(line)))).toEqual([]);
    expect(restored.findings).toEqual([]);
    expect(restored.filesRestored).toBe(restored.filesTotal);
    expect(restored.bytesRestored).toBe(restored.bytesTotal);
    await repository.close();
    rmSync(target, { recursive: true });
  },
);

/** Before 0.17, restic stored targets of symlinks as text. */
function lostByOldRestic(difference: string): boolean {
  return difference.startsWith('"/links/target of bytes"');
}

describe.each(RESTICS.slice(-1))('a snapshot of %s', (binary) => {
  let restic: Restic;
  let repository: Repository;
  let snapshot: Snapshot;
  beforeAll(async () => {
    ({ restic, repository, snapshot } = await saved(binary, 'shared', 2, '--exclude', 'random*'));
  });
  afterAll(() => repository.close());

  test('is listed in the order of names’ bytes, folders before what they hold, with every file’s content', async () => {
    const paths: string[] = [];
    for await (const node of repository.list(snapshot, {}, NEVER)) {
      paths.push(node.path);
      if (node.type !== 'file') continue;
      const hash = createHash('sha256');
      let size = 0;
      for await (const bytes of repository.content(node, NEVER)) {
        hash.update(bytes);
        size += bytes.length;
      }
      expect(size).toBe(node.size);
    }
    const components = (path: string): string[] => path.split('/');
    const sorted = paths.toSorted((a, b) => compareByComponents(components(a), components(b)));
    expect(paths).toEqual(sorted);
    expect(paths.length).toBe((await resticPaths(restic)).length);
    const links = await Array.fromAsync(
      repository.list(snapshot, { path: `${source}/links/`, recursive: false }, NEVER),
    );
    expect(links.map(({ name }) => name)).toContain('a first name');
    expect(links[0]?.path).toBe(`${source}/links`);
  });

  test('is readable for sources', async () => {
    const readable = repository.readable(snapshot, NEVER);
    expect(Buffer.from((await readable.read(`${source}/folders/\udcff/inside`)) ?? []).toString()).toBe('inside');
    expect(await readable.read(`${source}/nothing/at/all`)).toBeUndefined();
    expect(await readable.read(`${source}/folders`)).toBeUndefined();
    expect((await readable.read(`${source}/contents/empty`))?.length).toBe(0);
    const find = async (folder: string, name: string) =>
      (await readable.list(`${source}/${folder}`)).find((entry) => entry.name === name);
    expect(await find('contents', 'empty')).toEqual({ name: 'empty', kind: 'file', size: 0 });
    expect(await find('modes', 'attributes')).toMatchObject({ kind: 'file', size: 10, firstBlobLength: 10 });
    expect(await readable.list(`${source}/nothing`)).toEqual([]);
    expect(await readable.list(source)).toContainEqual({ name: 'links', kind: 'directory', size: 0 });
    expect(await readable.list(`${source}/links`)).toContainEqual({ name: 'itself', kind: 'symlink', size: 0 });
    expect(await find('contents', 'zeros')).toMatchObject({ kind: 'file', size: 2097152, firstBlobLength: 524288 });
    expect(await readable.list('/')).toHaveLength(1);
  });

  const selections = [
    ['--include', '*.txt'],
    ['--include', 'links'],
    ['--include', 'SOURCE/many/file 1*'],
    ['--include', 'SOURCE/**/inside'],
    ['--include', '/**/many'],
    ['--include', 'SOURCE/names/[a-z]*'],
    ['--include', 'file ?', '--include', '*name*'],
    ['--include', 'SOURCE/deep'],
    ['--include', 'no such thing'],
    ['--exclude', 'names', '--exclude', 'contents'],
    ['--exclude', '*'],
    ['--exclude', 'SOURCE/many/file [12]?', '--exclude', '!file 15'],
    ['--exclude', '/**/links/*'],
    ['--exclude', 'level 7*/level 8*'],
    ['--exclude', '/'],
    ['--exclude', 'folder*'],
  ];
  test.each(selections.map((options, number) => ({ number, options })))(
    'what $options selects is what restic selects',
    async ({ number, options }) => {
      const theirs = join(folder, `theirs-${number}`);
      const ours = join(folder, `ours-${number}`);
      const args = options.map((option) => option.replace('SOURCE', source));
      await restic.run('restore', 'latest', '--target', theirs, ...args);
      const of = (name: string): string[] => args.filter((_, i) => args[i - 1] === name);
      const selected = { include: of('--include'), exclude: of('--exclude') };
      await repository.restore(snapshot, ours, selected, NEVER);
      expect(compareTrees(theirs, ours)).toEqual([]);
      rmSync(theirs, { recursive: true, force: true });
      rmSync(ours, { recursive: true, force: true });
    },
  );

  test('a folder of it lands directly in the target, as restic does it', async () => {
    const [theirs, ours] = [join(folder, 'theirs'), join(folder, 'ours')];
    await restic.run('restore', `latest:${source}/links`, '--target', theirs);
    await repository.restore(snapshot, ours, { path: `${source}/links`, include: [], exclude: [] }, NEVER);
    expect(compareTrees(theirs, ours, { roots: false })).toEqual([]);
  });
});

function compareByComponents(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareNames(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

async function resticPaths(restic: Restic): Promise<string[]> {
  const lines = (await restic.run('ls', 'latest', '--json')).trimEnd().split('\n');
  return lines.slice(1);
}
