import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCatalog } from '../catalog/index.ts';
import { systemClock } from '../clock.ts';
import { RespaldoError } from '../errors.ts';
import { StreamRecord } from './stream-record.ts';

const LOST = new RespaldoError('source-lost', 'the server went away', { cause: new Error('a secret') });
const stretch = (snapshot: string, bytes: number, replacesLast = false) => ({
  ...{ snapshot, bytes, replacesLast },
  bytesAdded: 1,
});

it('tells of a stream as far as it has come, of each trouble once, and of a run for each time that it goes on', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-stream-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const catalog = await openCatalog({ RESPALDO_STATE_DIR: folder }, (message) => expect.fail(message));
  stack.defer(() => catalog.close());
  let seconds = 0;
  const clock = { now: () => new Date(Date.UTC(2025, 0, 1, 0, 0, (seconds += 1))), monotonic: () => seconds * 1000 };
  const run = { operation: 'backup', subject: 'log', repository: '/srv/main' } as const;
  const outcomes = async () => (await catalog.runs({})).map(({ outcome }) => outcome);
  const record = new StreamRecord(run, { catalog, clock });
  expect(await outcomes()).toEqual([]);

  await record.stored(stretch('a', 10));
  expect(await outcomes()).toMatchObject([{ state: 'succeeded', snapshot: 'a', bytesProcessed: 10 }]);
  await record.stored(stretch('b', 15, true));
  await record.stored(stretch('c', 7));
  await record.failed(LOST);
  await record.failed(new RespaldoError('store-broken', 'and again'));
  const first = { state: 'failed', snapshot: 'c', bytesProcessed: 22, bytesAdded: 3 };
  expect(await outcomes()).toMatchObject([{ ...first, error: 'source-lost: the server went away' }]);

  await record.stored(stretch('d', 1));
  await record.ended();
  expect(await outcomes()).toMatchObject([{ state: 'succeeded', snapshot: 'd', bytesProcessed: 1 }, first]);
  const [last] = await catalog.runs({});
  expect(last?.outcome?.finishedAt.getTime()).toBeGreaterThan(last?.startedAt.getTime() ?? Infinity);
});

it('tells of one that nothing ever came of', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-stream-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const catalog = await openCatalog({ RESPALDO_STATE_DIR: folder }, (message) => expect.fail(message));
  stack.defer(() => catalog.close());
  const record = new StreamRecord(
    { operation: 'backup', subject: 'log', repository: '' },
    { catalog, clock: systemClock },
  );
  await record.failed(LOST);
  await record.ended();
  expect(await catalog.runs({})).toMatchObject([{ subject: 'log', outcome: { state: 'failed' } }]);
});
