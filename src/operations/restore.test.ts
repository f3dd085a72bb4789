import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bench, type Bench } from '../../test/fixtures/bench.ts';
import { PASSWORD } from '../../test/fixtures/repository.ts';
import { systemClock } from '../clock.ts';
import type { Entry, Metadata } from '../domain/entry.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { openRepository } from '../repository/index.ts';
import type { RestoreProgress } from '../repository/repository.ts';
import { SOURCE_KINDS } from '../sources/index.ts';
import type { SourceKind } from '../sources/source.ts';
import { openStore } from '../stores/index.ts';
import { planRestore, restore, type RestorePorts, type RestoreRequest } from './restore.ts';

const at = BigInt(Date.UTC(2025, 0, 1)) * 1_000_000n;
const metadata: Metadata = { mode: 0o600, mtimeNs: at, atimeNs: at, ctimeNs: at, uid: 0, gid: 0 };

function file(name: string, text: string): Entry {
  return { kind: 'file', path: name, metadata, content: [new TextEncoder().encode(text)] };
}

/** A snapshot as a database source makes it. */
async function snapshotOf({ repository, signal }: Bench, tags: readonly string[], facts: string): Promise<Snapshot> {
  async function* entries(): AsyncIterable<Entry> {
    yield file('/respaldo.json', facts);
    yield { kind: 'directory', path: '/data', metadata: { ...metadata, mode: 0o700 } };
    yield file('/data/1', 'rows');
    yield file('/data/2', 'more rows');
  }
  const about = {
    time: systemClock.now(),
    hostname: 'host',
    username: 'user',
    paths: ['/postgresql/db:5432'],
    tags,
    excludes: [],
  };
  const { snapshot } = await repository.save(entries(), about, {}, signal);
  if (!snapshot) throw new Error('nothing was saved');
  return snapshot;
}

/** A kind that puts the data in place and adds a note, as a database adds its configuration. */
const database: SourceKind = {
  name: 'postgres',
  addresses: 'a server',
  accepts: () => false,
  open: () => {
    throw new Error('not asked for here');
  },
  async restore(snapshot, target, io) {
    await target.extract('/data', path.join(target.folder, 'data'));
    await writeFile(path.join(target.folder, 'ready'), snapshot.id);
    io.report({ severity: 'note', code: 'configured', message: 'a configuration was written' });
  },
};

const FACTS = JSON.stringify({ kind: 'postgres' });
const TAGS = ['type=full'];

function portsOf(bench: Bench): RestorePorts {
  return { repository: bench.repository, runtime: bench.runtime, kinds: [database] };
}

function request(snapshot: Snapshot, { folder }: Bench, more: Partial<RestoreRequest> = {}): RestoreRequest {
  return { snapshot, target: path.join(folder, 'target'), include: [], exclude: [], dryRun: false, ...more };
}

describe('the plan', () => {
  it('says what would be restored, how, and what lies there', async () => {
    await using here = await bench();
    const plan = await planRestore(request(await snapshotOf(here, TAGS, FACTS), here), portsOf(here), here.signal);
    expect(plan).toMatchObject({ as: 'postgres', fits: true, target: { exists: false, entries: 0 } });
    expect(plan.selected).toEqual({ files: 3, folders: 1, bytes: FACTS.length + 'rowsmore rows'.length });
    expect(plan.target.freeBytes).toBeGreaterThan(0);
  });

  it('believes the record of a whole snapshot, and counts where there is none, for a part, and where it may not fit', async () => {
    await using here = await bench();
    const { summary, ...bare } = await snapshotOf(here, TAGS, FACTS);
    if (summary === undefined) throw new Error('the snapshot has no summary');
    const bytesOf = async (total: number | undefined, more: Partial<RestoreRequest> = {}): Promise<number> => {
      const snapshot = total === undefined ? bare : { ...bare, summary: { ...summary, total_bytes_processed: total } };
      return (await planRestore(request(snapshot, here, more), portsOf(here), here.signal)).selected.bytes;
    };
    const counted = FACTS.length + 'rowsmore rows'.length;
    expect(await bytesOf(5)).toBe(5);
    expect(await bytesOf(undefined)).toBe(counted);
    expect(await bytesOf(5, { path: '/data' })).toBeGreaterThan(5);
    expect(await bytesOf(Number.MAX_SAFE_INTEGER)).toBe(counted);
  });

  it.each<[string, Partial<RestoreRequest>]>([
    ['a part of it', { path: '/data' }],
    ['patterns', { include: ['1'] }],
    ['exclusions', { exclude: ['1'] }],
    ['its raw files', { raw: true }],
  ])('takes a database for files when %s is asked for', async (_what, more) => {
    await using here = await bench();
    const snapshot = await snapshotOf(here, TAGS, FACTS);
    const plan = await planRestore(request(snapshot, here, more), portsOf(here), here.signal);
    expect(plan.as).toBe('files');
  });

  it.each([
    ['no type tag', [], FACTS],
    ['facts that are no JSON', TAGS, '{'],
    ['facts of another program', TAGS, '{"name":"x"}'],
    ['a kind that is not known', TAGS, '{"kind":"oracle"}'],
  ])('takes a snapshot with %s for files', async (_what, tags, facts) => {
    await using here = await bench();
    const plan = await planRestore(request(await snapshotOf(here, tags, facts), here), portsOf(here), here.signal);
    expect(plan.as).toBe('files');
  });

  it('refuses what cannot be written to, and what would be mixed', async () => {
    await using here = await bench();
    const snapshot = await snapshotOf(here, TAGS, FACTS);
    const target = path.join(here.folder, 'target');
    await mkdir(target);
    await writeFile(path.join(target, 'x'), 'x');
    const plan = (more: Partial<RestoreRequest>) =>
      planRestore(request(snapshot, here, more), portsOf(here), here.signal);
    await expect(plan({ target: path.join(target, 'x') })).rejects.toMatchObject({ code: 'target-unsafe' });
    await expect(plan({ overwrite: 'always' })).rejects.toMatchObject({ code: 'target-not-empty' });
    expect((await plan({ overwrite: 'always', raw: true })).target).toMatchObject({ exists: true, entries: 1 });
    await expect(plan({ path: '/none' })).rejects.toMatchObject({ code: 'path-missing' });
  });
});

describe('the restore', () => {
  it('of a database is left to its kind, and adds up to all its parts', async () => {
    await using here = await bench();
    const snapshot = await snapshotOf(here, TAGS, FACTS);
    const told: RestoreProgress[] = [];
    const ports = { ...portsOf(here), onProgress: (progress: RestoreProgress) => told.push(progress) };
    const plan = await planRestore(request(snapshot, here), ports, here.signal);
    const outcome = await restore(plan, ports, here.signal);
    expect(outcome).toMatchObject({
      state: 'succeeded',
      findings: [{ code: 'configured' }],
      progress: { filesTotal: 2, filesRestored: 2, bytesRestored: 'rowsmore rows'.length },
    });
    expect(await readFile(path.join(here.folder, 'target/data/2'), 'utf8')).toBe('more rows');
    expect(await readFile(path.join(here.folder, 'target/ready'), 'utf8')).toBe(snapshot.id);
    expect(told.at(-1)).toMatchObject({ filesTotal: 3, filesRestored: 2 });
  });

  it('of files puts them where they are wanted', async () => {
    await using here = await bench();
    const snapshot = await snapshotOf(here, TAGS, FACTS);
    const ports = { ...portsOf(here), kinds: SOURCE_KINDS };
    const plan = await planRestore(request(snapshot, here, { path: '/data' }), ports, here.signal);
    const outcome = await restore(plan, ports, here.signal);
    expect(outcome).toMatchObject({ state: 'succeeded', progress: { filesRestored: 2 } });
    expect(await readFile(path.join(here.folder, 'target/1'), 'utf8')).toBe('rows');
  });

  it('writes nothing in a dry run, of a database neither', async () => {
    await using here = await bench();
    const snapshot = await snapshotOf(here, TAGS, FACTS);
    const plan = await planRestore(request(snapshot, here, { dryRun: true }), portsOf(here), here.signal);
    await restore(plan, portsOf(here), here.signal);
    await expect(readFile(path.join(here.folder, 'target/ready'))).rejects.toThrow('ENOENT');
    await expect(readFile(path.join(here.folder, 'target/data/1'))).rejects.toThrow('ENOENT');
  });
});

it('saves of a damaged snapshot what can be read, and names the rest', async () => {
  await using here = await bench();
  const snapshot = await snapshotOf(here, [], FACTS);
  await damageFirstTree(here);
  const repository = await openRepository(await openStore(here.repository.location, {}), PASSWORD, {}, here.signal);
  const ports = { ...portsOf(here), repository };
  const plan = await planRestore(request(snapshot, here), ports, here.signal);
  await expect(restore(plan, ports, here.signal)).rejects.toMatchObject({
    code: 'repository-damaged',
    message: expect.stringContaining('/data: everything below it') as string,
  });
  expect(await readFile(path.join(here.folder, 'target/respaldo.json'), 'utf8')).toBe(FACTS);
});

/** Flips a byte in the first blob of the pack of trees: that of the folder, which was finished before the root. */
async function damageFirstTree({ folder }: Bench): Promise<void> {
  const entries = await readdir(path.join(folder, 'repository/data'), { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  const packs = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(name) })));
  // There are two: of these few bytes of content, and of their larger trees.
  const [trees] = packs.toSorted((a, b) => b.bytes.length - a.bytes.length);
  if (!trees) throw new Error('there is no pack');
  trees.bytes[20] = (trees.bytes[20] ?? 0) ^ 1;
  await chmod(trees.name, 0o600);
  await writeFile(trees.name, trees.bytes);
}
