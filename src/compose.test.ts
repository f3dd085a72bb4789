import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import {
  hostRuntime,
  initRepositoryAt,
  openRepositoryAt,
  openRunCatalog,
  openRuntimeOf,
  openSources,
  sourceKinds,
} from './compose.ts';
import { secretReader } from './config/secrets.ts';
import type { Plan, PlanSource } from './domain/plan.ts';

const { signal } = new AbortController();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'respaldo-compose-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a repository', () => {
  const access = { url: './repository', password: 'secret', passwordFrom: 'the file /etc/password' };

  it('is made and opened again at an address that starts from the working folder', async () => {
    const owner = { workingDirectory: folder, hostname: 'host', username: 'user' };
    const made = await initRepositoryAt(access, owner, signal);
    expect(made).toMatchObject({ version: 2, location: path.join(folder, 'repository') });
    await made.close();
    const opened = await openRepositoryAt(access, { workingDirectory: folder }, signal);
    expect(opened.id).toBe(made.id);
    await opened.close();
    await expect(initRepositoryAt(access, owner, signal)).rejects.toMatchObject({ code: 'repository-exists' });
    await expect(
      openRepositoryAt({ ...access, password: 'wrong' }, { workingDirectory: folder }, signal),
    ).rejects.toMatchObject({ code: 'wrong-password', hint: 'The password came from the file /etc/password.' });
  });

  it('that is not there is named', async () => {
    const opening = openRepositoryAt(access, { workingDirectory: folder }, signal);
    await expect(opening).rejects.toMatchObject({ code: 'repository-missing' });
    await expect(opening).rejects.toThrow(path.join(folder, 'repository'));
  });
});

const plan = (runtime: Plan['runtime'], first: PlanSource, ...others: readonly PlanSource[]): Plan => ({
  sources: [first, ...others],
  ...(runtime && { runtime }),
  folder,
  type: 'auto',
  tags: [],
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
});

describe("a plan's sources", () => {
  const openAll = (it: Plan) => openSources(it, secretReader({ PASSWORD: 'secret' }), signal, {});
  const open = (first: PlanSource, ...others: readonly PlanSource[]) => openAll(plan(undefined, first, ...others));
  const database = { address: 'postgresql://user@db:5433/?method=physical', password: { env: 'PASSWORD' } };

  it('are one of all its folders, and one of each database', async () => {
    const sources = await open({ address: './a' }, database, { address: '/b' });
    expect(sources.map(({ kind, paths }) => [kind, paths])).toEqual([
      ['directory', [path.join(folder, 'a'), '/b']],
      ['postgres', ['/postgresql/db:5433']],
    ]);
  });

  it('are refused where an address or a secret is wrong', async () => {
    await expect(open({ address: 'gopher:x' })).rejects.toMatchObject({ code: 'usage' });
    await expect(open({ ...database, password: { env: 'NONE' } })).rejects.toMatchObject({ code: 'config' });
  });
});

describe("a plan's runtime", () => {
  const of = (runtime: Plan['runtime']) => openRuntimeOf({ ...plan(runtime, { address: './a' }) }, {}, systemClock);

  it('is this host, or where the plan says', async () => {
    expect(await of(undefined)).toMatchObject({ kind: 'host' });
    expect(await of({ kind: 'host' })).toMatchObject({ kind: 'host' });
    expect(await of({ kind: 'docker', container: 'db', labels: [] })).toMatchObject({
      kind: 'docker',
      place: 'the container db',
    });
    expect(await of({ kind: 'kubernetes', labels: ['app=db', 'tier=1'] })).toMatchObject({
      kind: 'kubernetes',
      place: 'the pod with the labels app=db,tier=1',
    });
  });

  it('reads no folders elsewhere', async () => {
    const elsewhere = plan({ kind: 'docker', container: 'db', labels: [] }, { address: './a' });
    await expect(openSources(elsewhere, secretReader({}), signal, {})).rejects.toMatchObject({ code: 'usage' });
  });

  it('looks for no volumes in a cluster', async () => {
    const inPod = plan({ kind: 'kubernetes', pod: 'db-0', labels: [] }, { address: 'docker-volume:x' });
    await expect(openSources(inPod, secretReader({}), signal, {})).rejects.toMatchObject({ code: 'usage' });
  });
});

it('has a runtime, kinds of sources and a memory of runs', async () => {
  expect((await hostRuntime()).kind).toBe('host');
  const kinds = (await sourceKinds()).map(({ name }) => name);
  expect(kinds).toEqual([...new Set(kinds)]);
  expect(kinds).toEqual(expect.arrayContaining(['directory', 'postgres', 'volume']));
  const catalog = await openRunCatalog({ RESPALDO_STATE_DIR: folder }, () => undefined);
  expect(await catalog.runs({})).toEqual([]);
  catalog.close();
});
