import { describe, expect, it } from 'vitest';
import { bench, type Bench } from '../../test/fixtures/bench.ts';
import { saveFiles } from '../../test/fixtures/repository.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { ListedNode } from '../repository/repository.ts';
import { findEntries, type FindRequest } from './find.ts';
import { findObjects } from './find-objects.ts';
import type { SearchPorts } from './search.ts';

const FILES = { '/a/b/one.sql': '1', '/a/c/two.txt': '2', '/d/e/three.txt': '3', '/d/!four': '4' };

/** Three snapshots that share all but one folder. */
async function three(here: Bench): Promise<readonly Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (const [at, extra] of ['x', 'y', 'z'].entries())
    snapshots.push(await saveFiles(here.repository, { ...FILES, '/new/file': extra }, { time: new Date(at * 1000) }));
  return snapshots;
}

/** The repository, and every path that was listed from it. */
function watched({ repository }: Bench): SearchPorts & { readonly seen: string[] } {
  const seen: string[] = [];
  const list: SearchPorts['repository']['list'] = async function* (snapshot, select, signal) {
    for await (const node of repository.list(snapshot, select, signal)) {
      seen.push(node.path);
      yield node;
    }
  };
  return { repository: { list }, seen };
}

const times = (seen: readonly string[], path: string): number => seen.filter((one) => one === path).length;

async function find(
  here: Bench,
  request: Partial<FindRequest>,
  ports: SearchPorts = here,
): Promise<readonly (readonly [number, string])[]> {
  const snapshots = await here.repository.snapshots({}, here.signal);
  const found: [number, string][] = [];
  for await (const { snapshot, node } of findEntries(
    { patterns: ['*'], ignoreCase: false, ...request },
    snapshots,
    ports,
    here.signal,
  ))
    found.push([snapshots.indexOf(snapshot), node.path]);
  return found;
}

describe('A search', () => {
  it('finds in each snapshot what is there, and walks a tree without it once', async () => {
    await using here = await bench();
    await three(here);
    const ports = watched(here);
    expect(await find(here, { patterns: ['*.sql'] }, ports)).toEqual([0, 1, 2].map((at) => [at, '/a/b/one.sql']));
    expect(times(ports.seen, '/a/b/one.sql')).toBe(3);
    expect(times(ports.seen, '/a/c/two.txt')).toBe(1);
    expect(times(ports.seen, '/d/e/three.txt')).toBe(1);
    expect(times(ports.seen, '/new/file')).toBe(3);
  });

  it('does not even list where nothing can match', async () => {
    await using here = await bench();
    await three(here);
    const ports = watched(here);
    expect(await find(here, { patterns: ['/d/*/three.txt'] }, ports)).toHaveLength(3);
    expect(times(ports.seen, '/a/b')).toBe(0);
  });

  it('keeps the same tree at two paths apart', async () => {
    await using here = await bench();
    await saveFiles(here.repository, { '/one/sub/file': 'same', '/two/sub/file': 'same' });
    expect(await find(here, { patterns: ['/two/sub/file'] })).toEqual([[0, '/two/sub/file']]);
  });

  it('takes a leading ! for a part of the name', async () => {
    await using here = await bench();
    await saveFiles(here.repository, FILES);
    expect(await find(here, { patterns: ['!four'] })).toEqual([[0, '/d/!four']]);
  });

  it.each([
    [{ patterns: ['[a'] }, 'the pattern [a is malformed'],
    [{ oldest: new Date(2), newest: new Date(1) }, 'the oldest time is after the newest'],
  ])('refuses %j', async (request, message) => {
    await using here = await bench();
    await expect(find(here, request)).rejects.toMatchObject({ code: 'usage', message });
  });

  it('finds the uses of a blob and of a root tree', async () => {
    await using here = await bench();
    const [first, second] = await three(here);
    const nodes: ListedNode[] = await Array.fromAsync(here.repository.list(first as Snapshot, {}, here.signal));
    const id = nodes.find(({ path }) => path === '/new/file')?.content?.[0] ?? '';
    const snapshots = await here.repository.snapshots({}, here.signal);
    const uses = (kind: 'blob' | 'tree', text: string): Promise<{ path: string; snapshot: Snapshot }[]> =>
      Array.fromAsync(findObjects({ kind, ids: [text] }, snapshots, here, here.signal));
    expect(await uses('blob', id.slice(0, 10))).toMatchObject([{ path: '/new/file', snapshot: { id: first?.id } }]);
    expect(await uses('tree', second?.tree ?? '')).toMatchObject([{ path: '/', snapshot: { id: second?.id } }]);
    await expect(uses('tree', 'latest')).rejects.toMatchObject({ code: 'usage' });
  });
});
