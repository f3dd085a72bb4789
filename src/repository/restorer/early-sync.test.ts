import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EarlySync } from './early-sync.ts';

const MUCH = 1024 ** 3;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'early-sync-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('what is stored early ends well, however often', async () => {
  const sync = new EarlySync(folder);
  for (let n = 0; n < 5; n++) {
    await writeFile(join(folder, String(n)), 'x'.repeat(100_000));
    sync.wrote(MUCH);
  }
  await expect(sync.finish()).resolves.toBeUndefined();
});

test('what the system could not store is told at the end, though nobody was waiting', async () => {
  const gone = join(folder, 'gone');
  const sync = new EarlySync(gone);
  sync.wrote(MUCH);
  await expect(sync.finish()).rejects.toThrow(gone);
});

test('a little is left to the end', async () => {
  const sync = new EarlySync(join(folder, 'gone'));
  sync.wrote(1000);
  await expect(sync.finish()).resolves.toBeUndefined();
});
