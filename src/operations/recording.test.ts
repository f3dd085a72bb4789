import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Catalog } from '../catalog/catalog.ts';
import { openCatalog } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import { RespaldoError } from '../errors.ts';
import { recorded } from './recording.ts';

let folder: string;
let catalog: Catalog;
const warnings: string[] = [];
beforeEach(async () => {
  warnings.length = 0;
  folder = await mkdtemp(path.join(tmpdir(), 'respaldo-recording-'));
});
afterEach(async () => {
  catalog.close();
  await rm(folder, { recursive: true, force: true });
});

const run = { operation: 'backup', subject: 'shop', repository: '/srv/main' } as const;

/** A second passes between any two looks at it. */
function clock(): Clock {
  let seconds = 0;
  return { now: () => new Date(Date.UTC(2025, 0, 1, 0, 0, (seconds += 1))), monotonic: () => seconds * 1000 };
}

async function open(state = folder): Promise<void> {
  catalog = await openCatalog({ RESPALDO_STATE_DIR: state }, (message) => warnings.push(message));
}

it('remembers what succeeded, and when', async () => {
  await open();
  const value = await recorded(
    run,
    { catalog, clock: clock() },
    async () => 42,
    (bytes) => ({
      state: 'incomplete',
      snapshot: 'abc',
      bytesProcessed: bytes,
    }),
  );
  expect(value).toBe(42);
  expect(await catalog.runs({})).toMatchObject([
    {
      ...run,
      startedAt: new Date(Date.UTC(2025, 0, 1, 0, 0, 1)),
      outcome: {
        state: 'incomplete',
        finishedAt: new Date(Date.UTC(2025, 0, 1, 0, 0, 2)),
        snapshot: 'abc',
        bytesProcessed: 42,
      },
    },
  ]);
});

it.each([
  [new RespaldoError('source-lost', 'gone', { cause: new Error('geheim') }), 'failed', 'source-lost: gone'],
  [new RespaldoError('cancelled', 'cancelled'), 'cancelled', 'cancelled: cancelled'],
  [new DOMException('stop', 'AbortError'), 'cancelled', 'cancelled: cancelled'],
  [new TypeError('x is not a function'), 'failed', 'internal: unexpected error: x is not a function'],
])('remembers %s and throws it on', async (error, state, text) => {
  await open();
  const work = () => Promise.reject(error);
  await expect(recorded(run, { catalog, clock: clock() }, work, () => ({ state: 'succeeded' }))).rejects.toBe(error);
  expect(await catalog.runs({})).toMatchObject([{ outcome: { state, error: text } }]);
});

it('stops nobody where nothing can be remembered', async () => {
  const blocked = path.join(folder, 'file');
  await writeFile(blocked, '');
  await open(path.join(blocked, 'state'));
  const value = await recorded(
    run,
    { catalog, clock: clock() },
    async () => 42,
    () => ({ state: 'succeeded' }),
  );
  expect(value).toBe(42);
  expect(warnings).toHaveLength(1);
});
