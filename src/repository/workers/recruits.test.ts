import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { ClaimingData } from '../../../test/fixtures/claiming-worker.ts';
import { SharedLanes } from '../kernel/shared-lanes.ts';
import { BlobIndex } from '../storage/blob-index.ts';
import { Claims } from '../storage/claims.ts';
import { Crew } from './crew.ts';
import { Recruits } from './recruits.ts';

const script = new URL('../../../test/fixtures/claiming-worker.ts', import.meta.url);
const otherScript = pathToFileURL(`${fileURLToPath(script)}.missing`);

const data = (threads: number): ClaimingData => ({
  claims: Claims.create(new BlobIndex().shared()),
  missing: new Int32Array(new SharedArrayBuffer(4)).fill(threads),
});

test('threads that were started early work like any others, and those that lack are hired', async () => {
  const recruits = new Recruits(script, 1);
  await using crew = await Crew.start<{ count: number }, number[]>({ script, data: data(2), size: 2, recruits });
  expect((await crew.all({ count: 50 })).flat().toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, n) => n),
  );
  expect(recruits.take(script, 1)).toEqual([]);
});

test('threads that nobody takes end when they are closed', async () => {
  const recruits = new Recruits(script, 2);
  const [taken] = recruits.take(script, 1);
  if (taken === undefined) throw new Error('nobody to take');
  await recruits.close();
  expect(recruits.take(script, 1)).toEqual([]);
  await taken.terminate();
});

test('threads of one script are not given to who wants another', async () => {
  const recruits = new Recruits(script, 1);
  expect(recruits.take(otherScript, 1)).toEqual([]);
  expect(recruits.take(script, 1)).toHaveLength(1);
});

test('a thread that cannot start is told of by the crew, not by the recruits', async () => {
  const recruits = new Recruits(otherScript, 1);
  const [early] = recruits.take(otherScript, 1);
  if (early === undefined) throw new Error('nobody to take');
  await once(early, 'error');
  await expect(
    Crew.start({ script: otherScript, data: {}, size: 1, recruits: new Recruits(otherScript, 1) }),
  ).rejects.toThrow(/missing/);
});

const lanes = (): SharedLanes => SharedLanes.of(randomBytes(5 * 1024), { N: 1024, r: 8, p: 5 });

test('a thread that waits for its work takes part in deriving a key, and works afterwards', async () => {
  const recruits = new Recruits(script, 1);
  const shared = lanes();
  await recruits.lend(shared.data)?.();
  expect(shared.isComplete()).toBe(true);
  await using crew = await Crew.start<{ count: number }, number[]>({ script, data: data(1), size: 1, recruits });
  expect(await crew.all({ count: 2 })).toEqual([[0, 1]]);
});

test('each is lent once at a time, and once it is done again', async () => {
  const recruits = new Recruits(script, 2);
  const [first, second] = [lanes(), lanes()];
  const over = [recruits.lend(first.data), recruits.lend(second.data)];
  expect(recruits.lend(first.data)).toBeUndefined();
  for (const each of over) await each?.();
  expect([first.isComplete(), second.isComplete()]).toEqual([true, true]);
  const third = lanes();
  await recruits.lend(third.data)?.();
  expect(third.isComplete()).toBe(true);
  await recruits.close();
});

test('nobody waits for a thread that cannot start', async () => {
  const shared = lanes();
  const recruits = new Recruits(otherScript, 1);
  await recruits.lend(shared.data)?.();
  expect(shared.isComplete()).toBe(false);
  await recruits.close();
});

test('a thread that takes part is ended once it is done: in the midst of loading native code it would end the process', async () => {
  const recruits = new Recruits(script, 1);
  const shared = lanes();
  recruits.lend(shared.data);
  await recruits.close();
  expect(shared.isComplete()).toBe(true);
  expect(recruits.lend(shared.data)).toBeUndefined();
});
