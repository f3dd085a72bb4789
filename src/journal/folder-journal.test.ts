import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import type { StoppedContainer } from '../domain/stopped.ts';
import { isJournalEmpty, openJournal } from './index.ts';
import type { StoppedJournal } from './journal.ts';

const at = '2026-03-01T04:00:00Z';
const db: StoppedContainer = { id: 'a1', name: 'db', startedAt: at, askedAt: at, stopSeconds: 10 };
const reach = { DOCKER_HOST: 'unix:///x' };
let folder: string;
let journal: StoppedJournal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-journal-'));
  journal = await openJournal(join(folder, 'deep', 'state'), systemClock);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const files = async () =>
  (await readdir(join(folder, 'deep/state/stopped'))).map((name) => join(folder, 'deep/state/stopped', name));
const warned: string[] = [];
const adopt = () => journal.adopt((message) => warned.push(message));

/** As if the process that wrote it was gone: another one had its number before. */
async function orphan(change: Record<string, string> = { began: '1' }): Promise<void> {
  for (const path of await files()) {
    const record = JSON.parse(await readFile(path, 'utf8')) as { owner: Record<string, string> };
    await writeFile(path, JSON.stringify({ ...record, owner: { ...record.owner, ...change } }));
  }
}

describe('The journal of stopped containers', () => {
  it('keeps for its owner alone what is to be done, until it is done', async () => {
    const record = await journal.begin(reach, ['a1']);
    await record.update([db]);
    const [path = ''] = await files();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700);
    expect(await readFile(path, 'utf8')).toContain('"askedAt"');
    expect(await isJournalEmpty(join(folder, 'deep/state'))).toBe(false);
    await record.close();
    expect(await isJournalEmpty(join(folder, 'deep/state'))).toBe(true);
  });

  it('gives nobody what somebody who lives has stopped, and lets nobody else stop it', async () => {
    const record = await journal.begin(reach, ['a1', 'a2']);
    await record.update([db]);
    expect(await adopt()).toEqual([]);
    await expect(journal.begin(reach, ['a1'])).rejects.toMatchObject({ code: 'source-refused' });
    await (await journal.begin(reach, ['a3'])).close();
    expect(await files()).toHaveLength(1);
    await record.close();
  });

  it('gives the next one what was left, once', async () => {
    await (await journal.begin(reach, ['a1'])).update([{ ...db, finishedAt: at }]);
    await orphan();
    const adopted = (await Promise.all([adopt(), adopt(), adopt()])).flat();
    expect(adopted).toHaveLength(1);
    expect(adopted[0]).toMatchObject({ reach, containers: [{ ...db, finishedAt: at }], rebooted: false });
    expect(await adopt()).toEqual([]);
    await adopted[0]?.close();
    expect(await files()).toEqual([]);
  });

  it('knows that the machine was started anew', async () => {
    await (await journal.begin(reach, ['a1'])).update([db]);
    await orphan({ boot: 'another' });
    expect(await adopt()).toMatchObject([{ rebooted: true }]);
  });

  it('takes one that belongs to another container for alive as long as it shows signs of it', async () => {
    await (await journal.begin(reach, ['a1'])).update([db]);
    await orphan({ namespace: 'pid:[1]' });
    expect(await adopt()).toEqual([]);
    const [path = ''] = await files();
    const before = new Date(systemClock.now().getTime() - 600_000);
    await utimes(path, before, before);
    expect(await adopt()).toHaveLength(1);
  });

  it('tells of a record that cannot be read, and leaves it', async () => {
    await journal.begin(reach, ['a1']);
    const [path = ''] = await files();
    await writeFile(path, '{ "format": 2 }');
    expect(await adopt()).toEqual([]);
    expect(warned.at(-1)).toContain(path);
    expect(await files()).toEqual([path]);
  });

  it('begins nothing where it cannot write', async () => {
    const closed = await openJournal('/proc/nowhere', systemClock);
    await expect(closed.begin(reach, ['a1'])).rejects.toMatchObject({
      code: 'source-refused',
      hint: expect.stringContaining('RESPALDO_STATE_DIR') as string,
    });
  });
});
