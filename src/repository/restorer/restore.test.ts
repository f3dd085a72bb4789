import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CountingStore } from '../../../test/fixtures/counting-store.ts';
import { CraftedRepository, fileNode, folderNode, symlinkNode } from '../../../test/fixtures/crafted-repository.ts';
import { NEVER, noise } from '../../../test/fixtures/repository.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { LocalStore } from '../../stores/local/local.ts';
import { MemoryStore } from '../../stores/memory.ts';
import { setTimes } from '../filesystem/times.ts';
import type { Id } from '../format/id.ts';
import type { OverwritePolicy, Restored, RestoredItem, RestoreOptions, RestoreProgress } from '../repository.ts';
import { packKey } from '../storage/objects.ts';
import { restore } from './restore.ts';

let folder: string;
let target: string;
let crafted: CraftedRepository;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'respaldo-restorer-'));
  target = join(folder, 'target');
  const store = new LocalStore(join(folder, 'repository'));
  await store.create(NEVER);
  crafted = new CraftedRepository(store);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const run = (snapshot: Snapshot, options: Partial<RestoreOptions> = {}, from = crafted): Promise<Restored> =>
  restore(from.context, snapshot, target, { include: [], exclude: [], ...options }, NEVER);
const read = (...names: string[]): string => readFileSync(join(target, ...names), 'utf8');
const MARKER = '.respaldo-restore';

/** `/a` = one, `/folder/b` = two, `/folder/c` = of two blobs in two packs. */
async function simple(from = crafted): Promise<Snapshot> {
  const first = from.data(noise(1, 700_000));
  await from.flush();
  const inner = from.tree(fileNode('b', [from.data('two')]), fileNode('c', [first, from.data('end')]));
  const snapshot = from.snapshot(from.tree(fileNode('a', [from.data('one')]), folderNode('folder', inner)));
  await from.flush();
  return snapshot;
}

const bigC = Buffer.concat([noise(1, 700_000), Buffer.from('end')]);

function expectSimple(): void {
  expect(read('a')).toBe('one');
  expect(read('folder', 'b')).toBe('two');
  expect(readFileSync(join(target, 'folder', 'c')).equals(bigC)).toBe(true);
}

describe('a restore into an empty place', () => {
  it('writes everything, says so, and leaves nothing of its own behind', async () => {
    const progress: RestoreProgress[] = [];
    const restored = await run(await simple(), { onProgress: (at) => progress.push(at) });
    expectSimple();
    expect(readdirSync(target)).toEqual(['a', 'folder']);
    expect(statSync(target).mode & 0o777).toBe(0o700);
    expect(restored).toEqual({
      filesTotal: 4,
      filesRestored: 4,
      filesSkipped: 0,
      bytesTotal: 6 + bigC.length,
      bytesRestored: 6 + bigC.length,
      bytesSkipped: 0,
      findings: [],
    });
    expect(progress.length).toBeGreaterThan(0);
  });

  it('puts large and small pieces together, in any order and number, across packs, with holes or without', async () => {
    const sizes = [1, 4095, 65_536, 262_143, 262_144, 262_145, 400_000, 1_048_576, 1_500_001, 65_536 * 5];
    const pieces = sizes.map((size, i) => (i === 3 ? Buffer.alloc(size) : Buffer.from(noise(i, size))));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat({ max: sizes.length - 1 }), { minLength: 1, maxLength: 7 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.array(fc.nat({ max: sizes.length - 1 }), { maxLength: 3 }),
        fc.boolean(),
        async (files, ends, sparse) => {
          const from = new CraftedRepository(new LocalStore(join(folder, 'repository')));
          const ids: Id[] = [];
          for (const [i, piece] of pieces.entries()) {
            ids.push(from.data(piece));
            if (ends.includes(i)) await from.flush();
          }
          const nodes = files.map((numbers, i) =>
            fileNode(
              `${i}`,
              numbers.map((number) => ids[number] ?? ''),
            ),
          );
          const snapshot = from.snapshot(from.tree(...nodes));
          await from.flush();
          await run(snapshot, { sparse }, from);
          for (const [i, numbers] of files.entries()) {
            const whole = Buffer.concat(numbers.map((number) => pieces[number] ?? Buffer.alloc(0)));
            expect(Buffer.compare(readFileSync(join(target, `${i}`)), whole)).toBe(0);
          }
          rmSync(target, { recursive: true });
        },
      ),
      { numRuns: 15 },
    );
  });

  it('reads from stores that have no local files', async () => {
    const remote = new CraftedRepository(new MemoryStore());
    const snapshot = await simple(remote);
    await run(snapshot, {}, remote);
    expectSimple();
    // and leaves what the store holds as it is
    rmSync(target, { recursive: true });
    await run(snapshot, {}, remote);
    expectSimple();
  });

  it('asks a store elsewhere once for a pack of many small files', async () => {
    const store = new CountingStore(new MemoryStore());
    const remote = new CraftedRepository(store);
    const names = Array.from({ length: 1200 }, (_, i) => `${10_000 + i}`);
    // As several threads fill it: not in the order of the files.
    const ids = new Map(
      names.toSorted((a, b) => (Number(a) % 7) - (Number(b) % 7)).map((name) => [name, remote.data(name)]),
    );
    await remote.flush();
    const snapshot = remote.snapshot(remote.tree(...names.map((name) => fileNode(name, [ids.get(name) ?? '']))));
    await remote.flush();
    await run(snapshot, {}, remote);
    expect(store.reads.filter((key) => key.startsWith('data/'))).toHaveLength(2);
  });

  it('takes a folder with a lost+found for empty, and a missing parent for no hindrance', async () => {
    mkdirSync(join(target, 'lost+found'), { recursive: true });
    const snapshot = await simple();
    await run(snapshot);
    expectSimple();
    target = join(folder, 'deep', 'er', 'target');
    await run(snapshot);
    expectSimple();
  });

  it('restores a folder of the snapshot, and says which path there is not', async () => {
    const snapshot = await simple();
    await run(snapshot, { path: '/folder' });
    expect(readdirSync(target)).toEqual(['b', 'c']);
    await expect(run(snapshot, { path: '/folder/missing' })).rejects.toMatchObject({ code: 'path-missing' });
    await expect(run(snapshot, { path: 'a' })).rejects.toMatchObject({
      code: 'path-missing',
      message: expect.stringContaining('not a folder') as string,
    });
  });

  it('changes nothing in a dry run, and counts the same', async () => {
    const restored = await run(await simple(), { dryRun: true });
    expect(existsSync(target)).toBe(false);
    expect(restored).toMatchObject({ filesTotal: 4, filesRestored: 4, bytesRestored: 6 + bigC.length });
  });

  it('refuses malformed patterns before it does anything', async () => {
    await expect(run(await simple(), { include: ['[a'] })).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync(target)).toBe(false);
  });

  it('restores a file that changed under its other name with its own content, not as a link', async () => {
    const linked = { links: 2, inode: 5n, deviceId: 7n };
    const nodes = ['one', 'one', 'two'].map((text, i) => fileNode(`${i}`, [crafted.data(text)], linked));
    const snapshot = crafted.snapshot(crafted.tree(...nodes));
    await crafted.flush();
    await run(snapshot);
    expect([read('0'), read('1'), read('2')]).toEqual(['one', 'one', 'two']);
    const inode = (name: string): number => lstatSync(join(target, name)).ino;
    expect(inode('1')).toBe(inode('0'));
    expect(inode('2')).not.toBe(inode('0'));
  });
});

describe('a target that is not empty', () => {
  it('is refused and left alone', async () => {
    const snapshot = await simple();
    mkdirSync(target);
    writeFileSync(join(target, 'mine'), 'mine');
    await expect(run(snapshot)).rejects.toMatchObject({
      code: 'target-not-empty',
      hint: expect.stringContaining('--overwrite') as string,
    });
    expect(readdirSync(target)).toEqual(['mine']);
  });

  it('is refused if it is a file', async () => {
    writeFileSync(target, 'a file');
    await expect(run(await simple())).rejects.toMatchObject({ code: 'target-unsafe' });
    expect(readFileSync(target, 'utf8')).toBe('a file');
  });

  it('is refused where no folder can be made', async () => {
    target = '/proc/respaldo/there';
    await expect(run(await simple())).rejects.toMatchObject({
      code: 'target-refused',
      message: expect.stringContaining('/proc/respaldo') as string,
    });
  });

  it('may hold an unfinished restore of the same snapshot: what is right stays, the rest is written', async () => {
    const snapshot = await simple();
    await interrupted(snapshot);
    expect(readdirSync(target)).toContain(MARKER);
    writeFileSync(join(target, 'a'), 'one');
    writeFileSync(join(target, 'folder', 'b'), 'garbage that is longer');
    const c = join(target, 'folder', 'c');
    writeFileSync(c, Buffer.concat([noise(1, 700_000), Buffer.from('???')]));
    const before = [lstatSync(join(target, 'a')).ino, lstatSync(c).ino];
    const restored = await run(snapshot);
    expectSimple();
    expect([lstatSync(join(target, 'a')).ino, lstatSync(c).ino]).toEqual(before);
    expect(lstatSync(c, { bigint: true }).mtimeNs).toBe(1_714_979_289_123_456_789n);
    expect(restored).toMatchObject({ filesRestored: 3, filesSkipped: 1, bytesSkipped: 3 });
    expect(readdirSync(target)).toEqual(['a', 'folder']);
  });

  it('may hold files of that restore that are too long, or have names elsewhere, which stay as they are', async () => {
    const snapshot = await simple();
    await interrupted(snapshot);
    writeFileSync(join(target, 'a'), 'one and more');
    const c = join(target, 'folder', 'c');
    const outside = Buffer.concat([noise(1, 700_000), Buffer.from('outside')]);
    writeFileSync(join(folder, 'outside'), outside);
    rmSync(c, { force: true });
    linkSync(join(folder, 'outside'), c);
    await run(snapshot);
    expectSimple();
    expect(readFileSync(join(folder, 'outside')).equals(outside)).toBe(true);
  });

  it('may not hold an unfinished restore of something else', async () => {
    const snapshot = await simple();
    await interrupted(snapshot);
    const other = crafted.snapshot(crafted.tree(fileNode('other', [crafted.data('other')])));
    await crafted.flush();
    await expect(run(other)).rejects.toMatchObject({
      code: 'target-not-empty',
      message: expect.stringContaining(snapshot.id.slice(0, 8)) as string,
    });
    await expect(run(snapshot, { path: '/folder' })).rejects.toMatchObject({ code: 'target-not-empty' });
    await expect(run(snapshot, { exclude: ['a'] })).rejects.toMatchObject({ code: 'target-not-empty' });
    await run(snapshot);
    expectSimple();
  });

  it('may hold what a restore left that was killed before it began', async () => {
    mkdirSync(target);
    writeFileSync(join(target, `${MARKER}.new-4711`), '{"snaps');
    await run(await simple());
    expectSimple();
    expect(readdirSync(target)).toEqual(['a', 'folder']);
  });

  it('may hold a snapshot’s own file that is called like the marker', async () => {
    const tree = crafted.tree(fileNode(MARKER, [crafted.data('saved in the middle of a restore')]));
    await crafted.flush();
    await run(crafted.snapshot(tree));
    expect(readdirSync(target)).toEqual([MARKER]);
    expect(read(MARKER)).toBe('saved in the middle of a restore');
  });

  /** Breaks a restore off once the target is marked. */
  async function interrupted(snapshot: Snapshot): Promise<void> {
    const abort = new AbortController();
    const options: RestoreOptions = {
      include: [],
      exclude: [],
      onProgress: () => {
        abort.abort();
      },
    };
    await restore(crafted.context, snapshot, target, options, abort.signal).catch(() => undefined);
    if (!existsSync(join(target, MARKER))) throw new Error('the restore was not interrupted');
    mkdirSync(join(target, 'folder'), { recursive: true });
  }
});

describe('overwriting', () => {
  const OLD = new Date('2001-01-01T00:00:00Z');
  const NEW = new Date('2030-01-01T00:00:00Z');

  function put(name: string, content: string, time: Date): void {
    const path = join(target, name);
    writeFileSync(path, content);
    utimesSync(path, time, time);
  }

  beforeEach(() => {
    mkdirSync(join(target, 'folder'), { recursive: true });
    put('a', 'old', OLD);
    put('folder/b', 'new', NEW);
    put('mine', 'mine', OLD);
  });

  it.each<[OverwritePolicy, string, string]>([
    ['always', 'one', 'two'],
    ['if-changed', 'one', 'two'],
    ['if-newer', 'one', 'new'],
    ['never', 'old', 'new'],
  ])('%s has restic’s meaning, and never touches what the snapshot does not hold', async (overwrite, a, b) => {
    await run(await simple(), { overwrite });
    expect([read('a'), read('folder', 'b'), read('mine')]).toEqual([a, b, 'mine']);
    expect(readFileSync(join(target, 'folder', 'c')).equals(bigC)).toBe(true);
    expect(readdirSync(target)).toEqual(['a', 'folder', 'mine']);
    expect(readdirSync(join(target, 'folder'))).toEqual(['b', 'c']);
  });

  it('if-changed trusts size and time, always does not', async () => {
    const snapshot = await simple();
    await run(snapshot, { overwrite: 'always' });
    const { mtimeNs } = lstatSync(join(target, 'a'), { bigint: true });
    writeFileSync(join(target, 'a'), 'ONE');
    setTimes(join(target, 'a'), mtimeNs, mtimeNs);
    await run(snapshot, { overwrite: 'if-changed' });
    expect(read('a')).toBe('ONE');
    await run(snapshot, { overwrite: 'always' });
    expect(read('a')).toBe('one');
  });

  it('changes nothing in a dry run', async () => {
    const restored = await run(await simple(), { overwrite: 'always', dryRun: true });
    expect([read('a'), read('folder', 'b')]).toEqual(['old', 'new']);
    expect(existsSync(join(target, 'folder', 'c'))).toBe(false);
    expect(restored).toMatchObject({ filesTotal: 4, filesRestored: 4, filesSkipped: 0 });
  });

  it('keeps what is right of a file and its other names elsewhere as they were', async () => {
    const c = join(target, 'folder', 'c');
    const old = Buffer.concat([noise(1, 700_000), Buffer.from('old end')]);
    writeFileSync(c, old);
    linkSync(c, join(folder, 'elsewhere'));
    await run(await simple(), { overwrite: 'always' });
    expectSimple();
    expect(readFileSync(join(folder, 'elsewhere')).equals(old)).toBe(true);
  });

  it('leaves mode and times of a file’s other names as they were, though its content is right', async () => {
    const snapshot = await simple();
    put('a', 'one', OLD);
    linkSync(join(target, 'a'), join(folder, 'elsewhere'));
    for (const overwrite of ['always', 'if-changed'] as const) {
      await run(snapshot, { overwrite });
      expect(read('a')).toBe('one');
      expect(lstatSync(join(folder, 'elsewhere')).mtime).toEqual(OLD);
      expect(lstatSync(join(target, 'a')).nlink).toBe(1);
    }
  });

  it('does not lose what was there for a blob that is damaged', async () => {
    const snapshot = await simple();
    await damagePack(await firstPack(), (bytes) => bytes.fill(0, 20, 30));
    put('folder/c', 'precious', OLD);
    await expect(run(snapshot, { overwrite: 'always' })).rejects.toMatchObject({ code: 'repository-damaged' });
    expect(read('folder', 'c')).toBe('precious');
    expect(readdirSync(join(target, 'folder'))).toEqual(['b', 'c']);
  });

  it('puts files and folders in the place of other things, but not of folders that hold something', async () => {
    rmSync(join(target, 'a'));
    mkdirSync(join(target, 'a'));
    rmSync(join(target, 'folder'), { recursive: true });
    writeFileSync(join(target, 'folder'), 'a file');
    await run(await simple(), { overwrite: 'always' });
    expectSimple();
    rmSync(join(target, 'a'));
    mkdirSync(join(target, 'a'));
    writeFileSync(join(target, 'a', 'kept'), 'kept');
    await expect(run(await simple(), { overwrite: 'always' })).rejects.toMatchObject({
      code: 'target-refused',
      message: expect.stringContaining('/a: ') as string,
    });
    expect(read('a', 'kept')).toBe('kept');
  });
});

describe('the target’s walls', () => {
  let outside: string;
  beforeEach(() => {
    outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'b'), 'not yours');
    mkdirSync(target);
  });
  const expectOutsideUntouched = (): void => {
    expect(readdirSync(outside)).toEqual(['b']);
    expect(readFileSync(join(outside, 'b'), 'utf8')).toBe('not yours');
  };

  it('hold where a symlink was planted in the place of a folder', async () => {
    symlinkSync(outside, join(target, 'folder'));
    await run(await simple(), { overwrite: 'always' });
    expectOutsideUntouched();
    expectSimple();
    expect(lstatSync(join(target, 'folder')).isDirectory()).toBe(true);
  });

  it('hold where nothing may be overwritten: the folder is a loss', async () => {
    symlinkSync(outside, join(target, 'folder'));
    await expect(run(await simple(), { overwrite: 'never' })).rejects.toMatchObject({ code: 'target-refused' });
    expectOutsideUntouched();
    expect(read('a')).toBe('one');
  });

  it('hold where a symlink was planted in the place of a file, or of the file beside it', async () => {
    const snapshot = await simple();
    symlinkSync(join(outside, 'b'), join(target, 'a'));
    await run(snapshot, { overwrite: 'always' });
    expectOutsideUntouched();
    expectSimple();
    expect(lstatSync(join(target, 'a')).isFile()).toBe(true);
  });

  it('hold while a restore is resumed', async () => {
    const snapshot = await simple();
    rmSync(target, { recursive: true });
    await damagePack(await firstPack(), (bytes) => bytes.fill(0, 20, 30));
    await expect(run(snapshot)).rejects.toMatchObject({ code: 'repository-damaged' });
    rmSync(join(target, 'folder'), { recursive: true });
    symlinkSync(outside, join(target, 'folder'));
    rmSync(join(target, 'a'));
    symlinkSync(join(outside, 'b'), join(target, 'a'));
    await expect(run(snapshot)).rejects.toMatchObject({ code: 'repository-damaged' });
    expectOutsideUntouched();
    expect(read('a')).toBe('one');
    expect(read('folder', 'b')).toBe('two');
  });

  it('hold where the marker is a symlink that somebody planted', async () => {
    const snapshot = await simple();
    writeFileSync(
      join(outside, 'b'),
      JSON.stringify({ snapshot: snapshot.id, path: '/', include: [], exclude: [], pid: 1 }),
    );
    symlinkSync(join(outside, 'b'), join(target, MARKER));
    await expect(run(snapshot)).rejects.toMatchObject({ code: 'target-not-empty' });
  });

  it.each(['..', '.', '', 'a/b', '/etc', '../../outside/b', 'a\\u0000b'])(
    'hold against an entry called %j: its tree is damaged',
    async (name) => {
      const file = `{"name":"${name}","type":"file","mode":420,"uid":0,"gid":0,"content":["${crafted.data('evil')}"]}`;
      const evil = crafted.rawTree(`{"nodes":[${file}]}\n`);
      const root = crafted.tree(fileNode('a', [crafted.data('one')]), folderNode('evil', evil));
      await crafted.flush();
      await expect(run(crafted.snapshot(root))).rejects.toMatchObject({
        code: 'repository-damaged',
        message: expect.stringContaining('/evil: ') as string,
      });
      expectOutsideUntouched();
      expect(read('a')).toBe('one');
      expect(readdirSync(join(target, 'evil'))).toEqual([]);
      expect(readdirSync(folder).sort()).toEqual(['outside', 'repository', 'target']);
    },
  );

  it('hold against a symlink and a folder of the same name', async () => {
    const inside = crafted.tree(fileNode('b', [crafted.data('evil')]));
    const evil = crafted.tree(symlinkNode('way', outside), folderNode('way', inside));
    const root = crafted.tree(folderNode('evil', evil));
    await crafted.flush();
    await expect(run(crafted.snapshot(root))).rejects.toMatchObject({ code: 'repository-damaged' });
    expectOutsideUntouched();
  });

  it('hold against hard links between entries of the snapshot', async () => {
    // An inode that an earlier symlink claims: only files are linked to.
    const linked = { links: 2, inode: 5n, deviceId: 7n };
    const root = crafted.tree(
      { ...symlinkNode('a', join(outside, 'b')), ...linked },
      fileNode('b', [crafted.data('mine')], linked),
    );
    await crafted.flush();
    await run(crafted.snapshot(root));
    expectOutsideUntouched();
    expect(read('b')).toBe('mine');
  });
});

describe('damage', () => {
  const expectLoss = async (snapshot: Snapshot, ...parts: string[]): Promise<readonly Finding[]> => {
    const found: Finding[] = [];
    const failure = await run(snapshot, { onFinding: (finding) => found.push(finding) }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'repository-damaged', exit: 1 });
    for (const part of parts) expect((failure as Error).message).toContain(part);
    return found;
  };

  it('of one blob costs its file alone, which is named with blob and pack and is not there', async () => {
    const snapshot = await simple();
    const pack = await firstPack();
    await damagePack(pack, (bytes) => bytes.fill(0, 20, 30));
    const [blob] = (await crafted.context.loadIndex(NEVER).then((index) => [...index.packs()]))
      .filter(({ id }) => id === pack)
      .flatMap(({ blobs }) => blobs);
    const found = await expectLoss(snapshot, '/folder/c', pack, blob?.id ?? '-');
    expect(found).toEqual([expect.objectContaining({ severity: 'damage', subject: '/folder/c' })]);
    expect(read('a')).toBe('one');
    expect(readdirSync(join(target, 'folder'))).toEqual(['b']);
    expect(readdirSync(target)).toContain(MARKER);
  });

  it('that is healed is healed by running the same restore again', async () => {
    const snapshot = await simple();
    const pack = await firstPack();
    const whole = await crafted.store.read(packKey(pack), undefined, NEVER);
    await damagePack(pack, (bytes) => bytes.fill(0, 20, 30));
    await expectLoss(snapshot);
    await crafted.store.write(packKey(pack), whole, NEVER);
    expect(await run(snapshot)).toMatchObject({ filesSkipped: 2, bytesSkipped: 6 });
    expectSimple();
    expect(readdirSync(target)).toEqual(['a', 'folder']);
  });

  it.each(['local', 'remote'])('of a whole pack is survived: missing or cut off, %s', async (kind) => {
    if (kind === 'remote') crafted = new CraftedRepository(new MemoryStore());
    const snapshot = await simple();
    const pack = await firstPack();
    await damagePack(pack, (bytes) => bytes.subarray(0, 1000));
    await expectLoss(snapshot, '/folder/c', 'truncated', pack);
    await crafted.store.remove(packKey(pack), NEVER);
    await expectLoss(snapshot, '/folder/c', 'missing', pack);
    expect(read('a')).toBe('one');
  });

  it('of a blob that another pack holds as well is no loss', async () => {
    const snapshot = await simple();
    await damagePack(await firstPack(), (bytes) => bytes.fill(0, 20, 30));
    crafted.data(noise(1, 700_000));
    crafted.data('something else, so that the pack is another');
    await crafted.flush();
    await run(snapshot);
    expectSimple();
  });

  it('of the index, which lacks a blob, costs the file', async () => {
    const tree = crafted.tree(fileNode('a', [crafted.data('one')]), fileNode('b', ['ab'.repeat(32)]));
    await crafted.flush();
    await expectLoss(crafted.snapshot(tree), '/b', 'ab'.repeat(32), 'in no index');
    expect(readdirSync(target).sort()).toEqual([MARKER, 'a']);
  });

  it('of a tree costs what lies below it', async () => {
    const tree = crafted.tree(folderNode('lost', 'cd'.repeat(32)), fileNode('z', [crafted.data('one')]));
    await crafted.flush();
    await expectLoss(crafted.snapshot(tree), '/lost', 'cd'.repeat(32));
    expect(read('z')).toBe('one');
  });

  it('of the first name of a file costs its other names as well', async () => {
    const linked = { links: 2, inode: 5n, deviceId: 7n };
    const data: Id = crafted.data(noise(3, 5000));
    const [pack = ''] = await crafted.flush();
    const tree = crafted.tree(fileNode('first', [data], linked), fileNode('second', [data], linked));
    await crafted.flush();
    await damagePack(pack, (bytes) => bytes.fill(0, 20, 30));
    await expectLoss(crafted.snapshot(tree), '/first', '/second', 'hard link');
    expect(readdirSync(target)).toEqual([MARKER]);
  });
});

/** The pack that was written first: it holds most of `/folder/c`. */
async function firstPack(): Promise<Id> {
  const index = await crafted.context.loadIndex(NEVER);
  const packs = [...index.packs()].filter(({ blobs }) => blobs.length === 1 && blobs[0]?.type === 'data');
  return packs.toSorted((a, b) => (b.blobs[0]?.length ?? 0) - (a.blobs[0]?.length ?? 0))[0]?.id ?? '';
}

async function damagePack(pack: Id, damage: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = await crafted.store.read(packKey(pack), undefined, NEVER);
  await crafted.store.write(packKey(pack), damage(Uint8Array.from(bytes)), NEVER);
}

describe('what the snapshot does not hold', () => {
  const remove = { overwrite: 'always', delete: true } as const;
  beforeEach(() => {
    mkdirSync(join(target, 'folder', 'later', 'inside'), { recursive: true });
    writeFileSync(join(target, 'folder', 'later', 'inside', 'file'), '1');
    writeFileSync(join(target, 'more.txt'), '2');
    writeFileSync(Buffer.from(`${target}/folder/bytes \xff`, 'latin1'), '3');
  });

  it('is deleted where it was selected, told of, and counted', async () => {
    const told: string[] = [];
    const onItem = ({ path, action }: RestoredItem): void => {
      if (action === 'deleted') told.push(path);
    };
    const snapshot = await simple();
    const planned = await run(snapshot, { ...remove, dryRun: true, onItem });
    expect(told.splice(0).map((path) => path.slice(target.length))).toEqual([
      '/folder/bytes \udcff',
      '/folder/later/inside/file',
      '/folder/later/inside',
      '/folder/later',
      '/more.txt',
    ]);
    expect(read('more.txt')).toBe('2');
    const restored = await run(snapshot, { ...remove, onItem });
    expect(restored.filesDeleted).toBe(5);
    expect(planned.filesDeleted).toBe(5);
    expect(told).toHaveLength(5);
    expectSimple();
    expect(readdirSync(target).concat(readdirSync(join(target, 'folder')))).toEqual(['a', 'folder', 'b', 'c']);
  });

  it('stays where the patterns do not reach', async () => {
    const snapshot = await simple();
    await run(snapshot, { ...remove, include: ['/folder/b', '*.txt'] });
    expect(readdirSync(target)).toEqual(['folder']);
    expect(readdirSync(join(target, 'folder'))).toContain('later');
    await run(snapshot, { ...remove, exclude: ['/folder'] });
    expect(readdirSync(join(target, 'folder'))).toContain('later');
  });

  it('makes room, with the folder that holds it, for a file or symlink of its name', async () => {
    for (const name of ['a', 'link']) {
      mkdirSync(join(target, name, 'inside'), { recursive: true });
      writeFileSync(join(target, name, 'inside', 'file'), '4');
    }
    const snapshot = crafted.snapshot(crafted.tree(fileNode('a', []), symlinkNode('link', 'a')));
    await crafted.flush();
    await expect(run(snapshot, { overwrite: 'always' })).rejects.toThrow('could not be restored');
    expect(read('a/inside/file')).toBe('4');
    const planned = await run(snapshot, { ...remove, dryRun: true });
    expect(read('link/inside/file')).toBe('4');
    const restored = await run(snapshot, remove);
    expect(restored.filesDeleted).toBe(planned.filesDeleted);
    expect(readdirSync(target)).toEqual(['a', 'link']);
    expect([read('a'), readlinkSync(join(target, 'link'))]).toEqual(['', 'a']);
  });

  it('is never looked for behind a symlink, which itself is deleted or replaced', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious'), 'kept');
    rmSync(join(target, 'folder'), { recursive: true });
    symlinkSync(outside, join(target, 'folder'));
    symlinkSync(outside, join(target, 'link'));
    const snapshot = await simple();
    await run(snapshot, { ...remove, overwrite: 'never', include: ['/folder', '/link'] }).catch(() => undefined);
    expect(readdirSync(outside)).toEqual(['precious']);
    await run(snapshot, remove);
    expect(readdirSync(outside)).toEqual(['precious']);
    expect(lstatSync(join(target, 'folder')).isDirectory()).toBe(true);
    expect(existsSync(join(target, 'link'))).toBe(false);
  });

  it('stays where the snapshot’s own list is damaged', async () => {
    const snapshot = crafted.snapshot(crafted.tree(folderNode('folder', 'ab'.repeat(32)), fileNode('a', [])));
    await crafted.flush();
    await expect(run(snapshot, remove)).rejects.toThrow('could not be restored');
    expect(readdirSync(join(target, 'folder'))).toContain('later');
    expect(existsSync(join(target, 'more.txt'))).toBe(false);
  });
});

describe('a sparse restore', () => {
  it('leaves holes for zeros, and no others', async () => {
    const zeros = new Uint8Array(4 * 1024 * 1024);
    const mixed = Buffer.concat([Buffer.alloc(8192), Buffer.from('in the middle'), Buffer.alloc(100_000)]);
    const hole = crafted.data(zeros);
    const some = crafted.data(mixed);
    await crafted.flush();
    const other = crafted.data('the end');
    const snapshot = crafted.snapshot(
      crafted.tree(
        fileNode('all', [hole, hole]),
        fileNode('some', [some]),
        fileNode('spread', [hole, some, other, hole]),
      ),
    );
    await crafted.flush();
    const expectRight = (): void => {
      expect(readFileSync(join(target, 'all')).equals(Buffer.concat([zeros, zeros]))).toBe(true);
      expect(readFileSync(join(target, 'some')).equals(mixed)).toBe(true);
      const spread = Buffer.concat([zeros, mixed, Buffer.from('the end'), zeros]);
      expect(readFileSync(join(target, 'spread')).equals(spread)).toBe(true);
    };
    await run(snapshot, { sparse: true });
    expectRight();
    const blocks = ['all', 'some', 'spread'].map((name) => statSync(join(target, name)).blocks * 512);
    expect(blocks[0]).toBe(0);
    expect(Math.max(...blocks)).toBeLessThan(64 * 1024);
    // What was there instead of a hole must not stay.
    for (const name of ['all', 'some', 'spread']) writeFileSync(join(target, name), Buffer.alloc(9_000_000, 7));
    await run(snapshot, { sparse: true, overwrite: 'always' });
    expectRight();
  });

  it('that is resumed leaves nothing wrong in the place of a hole', async () => {
    const hole = crafted.data(new Uint8Array(100_000));
    const first = crafted.data('first');
    await crafted.flush();
    const snapshot = crafted.snapshot(
      crafted.tree(fileNode('file', [first, hole]), fileNode('lost', ['ab'.repeat(32)])),
    );
    await crafted.flush();
    await expect(run(snapshot, { sparse: true })).rejects.toThrow('lost');
    writeFileSync(join(target, 'file'), Buffer.concat([Buffer.from('first'), Buffer.alloc(100_000, 7)]));
    await expect(run(snapshot, { sparse: true })).rejects.toThrow('lost');
    expect(
      readFileSync(join(target, 'file'))
        .subarray(5)
        .every((byte) => byte === 0),
    ).toBe(true);
  });
});

describe('a restore that reads back', () => {
  it('counts what is right, and does not judge what it left alone', async () => {
    const snapshot = await simple();
    expect((await run(snapshot, { verify: true })).filesVerified).toBe(3);
    writeFileSync(join(target, 'a'), 'mine');
    expect((await run(snapshot, { verify: true, overwrite: 'never' })).filesVerified).toBe(0);
    expect((await run(snapshot, { verify: true, overwrite: 'always' })).filesVerified).toBe(1);
  });

  it('reads other names of a file once they are there, and not those that it left alone', async () => {
    const one = crafted.data('one');
    const linked = (name: string) => fileNode(name, [one], { links: 2, inode: 7n, deviceId: 1n });
    const snapshot = crafted.snapshot(crafted.tree(linked('a'), linked('b')));
    await crafted.flush();
    expect((await run(snapshot, { verify: true })).filesVerified).toBe(2);
    rmSync(join(target, 'b'));
    writeFileSync(join(target, 'b'), 'mine');
    expect((await run(snapshot, { verify: true, overwrite: 'never' })).filesVerified).toBe(0);
    expect((await run(snapshot, { verify: true, overwrite: 'always' })).filesVerified).toBe(1);
    expect(statSync(join(target, 'b')).ino).toBe(statSync(join(target, 'a')).ino);
  });

  it('names a file that something else has changed meanwhile', async () => {
    const snapshot = await simple();
    const spoil = (item: RestoredItem): void => {
      if (item.path === '/folder/c') writeFileSync(join(target, 'folder', 'c'), 'spoiled');
    };
    await expect(run(snapshot, { verify: true, onItem: spoil })).rejects.toThrow('/folder/c: read back');
  });
});
