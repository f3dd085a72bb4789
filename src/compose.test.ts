import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  hostRuntime,
  initRepositoryAt,
  openRepositoryAt,
  openRunCatalog,
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

describe("a plan's sources", () => {
  const open = (first: PlanSource, ...others: readonly PlanSource[]) => {
    const plan: Plan = {
      sources: [first, ...others],
      folder,
      type: 'auto',
      tags: [],
      selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
      acceptDamagedPages: false,
    };
    return openSources(plan, secretReader({ PASSWORD: 'secret' }), signal);
  };
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

it('has a runtime, kinds of sources and a memory of runs', async () => {
  expect((await hostRuntime()).kind).toBe('host');
  expect((await sourceKinds()).map(({ name }) => name)).toEqual(['postgres', 'directory']);
  const catalog = await openRunCatalog({ RESPALDO_STATE_DIR: folder }, () => undefined);
  expect(await catalog.runs({})).toEqual([]);
  catalog.close();
});
