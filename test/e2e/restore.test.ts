/** Restores that are killed, crowded out or run into a full disk, and what running them again makes of it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Started, Workplace } from '../fixtures/cli.ts';
import { noise } from '../fixtures/repository.ts';
import { compareTrees, makeHostileTree } from '../fixtures/tree.ts';

const MARKER = '.respaldo-restore';
const MIB = 1024 * 1024;

let place: Workplace;
let source: string;
beforeAll(async () => {
  place = await Workplace.make();
  await place.makeRepository();
  source = place.path('source');
  makeHostileTree(source);
  mkdirSync(join(source, 'bulk'));
  for (let i = 0; i < 2000; i++) writeFileSync(join(source, 'bulk', `${i}`), noise(i, 3000));
  writeFileSync(join(source, 'bulk', 'large'), noise(1, 30 * MIB));
  await place.ok('backup', source);
});
afterAll(() => place[Symbol.asyncDispose]());

const restore = (target: string, ...more: string[]): string[] => [
  'restore',
  `latest:${source}`,
  '--target',
  target,
  '--yes',
  ...more,
];

/** Waits until the target holds so many bytes, or the restore has ended. */
async function until(target: string, bytes: number, started: Started): Promise<void> {
  let ended = false;
  void started.ended.then(() => (ended = true));
  await expect.poll(() => ended || sizeOf(target) >= bytes, { timeout: 60_000, interval: 5 }).toBe(true);
}

function sizeOf(folder: string): number {
  try {
    return Number(
      execFileSync('du', ['-sB1', folder], { stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .split('\t')[0],
    );
  } catch {
    return 0;
  }
}

describe('a restore that is killed', () => {
  test('again and again is completed in the end, and exactly', async () => {
    const target = place.path('killed');
    let kills = 0;
    let interrupted = 0;
    for (const share of [0, 0.1, 0.25, 0.4, 0.6, 0.8, 0.95]) {
      const started = place.start(restore(target));
      await until(target, share * sizeOf(source), started);
      started.child.kill('SIGKILL');
      const { code } = await started.ended;
      expect(code).toBeOneOf([null, 0]);
      if (code === null) kills++;
      if (!existsSync(target)) continue;
      if (readdirSync(target).includes(MARKER)) {
        interrupted++;
      } else {
        // We have looked too late: without the marker it has to be whole.
        expect(compareTrees(source, target)).toEqual([]);
        rmSync(target, { recursive: true });
      }
    }
    expect(kills).toBeGreaterThan(3);
    expect(interrupted).toBeGreaterThan(0);
    await place.ok(...restore(target));
    expect(compareTrees(source, target)).toEqual([]);
  });

  test('is not continued by another restore, whose files would mix with its own', async () => {
    const target = place.path('mixed');
    const started = place.start(restore(target));
    await expect.poll(() => existsSync(join(target, MARKER)), { timeout: 60_000, interval: 5 }).toBe(true);
    started.child.kill('SIGKILL');
    await started.ended;
    const { code, stderr } = await place.respaldo(...restore(target, '--exclude', 'names'));
    expect(code).toBe(1);
    expect(stderr).toContain('unfinished restore');
  });

  test('is not disturbed by the same one while it still runs', async () => {
    const target = place.path('twice');
    const started = place.start(restore(target));
    await expect.poll(() => existsSync(join(target, MARKER)), { timeout: 60_000, interval: 5 }).toBe(true);
    started.child.kill('SIGSTOP');
    const { code, stderr } = await place.respaldo(...restore(target));
    expect(code).toBe(1);
    expect(stderr).toContain(`process ${String(started.child.pid)} is restoring`);
    started.child.kill('SIGCONT');
    expect((await started.ended).code).toBe(0);
    expect(compareTrees(source, target)).toEqual([]);
  });

  test('gently ends with 130, says how to go on, and does so', async () => {
    const target = place.path('interrupted');
    const started = place.start(restore(target));
    await until(target, MIB, started);
    started.child.kill('SIGINT');
    expect((await started.ended).code).toBe(130);
    expect(readdirSync(target)).toContain(MARKER);
    await place.ok(...restore(target));
    expect(compareTrees(source, target)).toEqual([]);
  });
});

const mountable = canMount();

describe.runIf(mountable)('a full disk', () => {
  test('ends the restore with the name of the file, and with room it is completed', async () => {
    const target = place.path('small');
    mkdirSync(target);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', target]);
    try {
      const { code, stderr } = await place.respaldo(...restore(target));
      expect(code).toBe(1);
      expect(stderr).toMatch(/cannot write .*small\/.*: no space left on device \(ENOSPC\)/);
      expect(stderr).toContain('goes on where it stopped');
      expect(readdirSync(target)).toContain(MARKER);
      execFileSync('mount', ['-o', 'remount,size=200m', target]);
      await place.ok(...restore(target));
      expect(compareTrees(source, target)).toEqual([]);
    } finally {
      execFileSync('umount', [target]);
    }
  });

  test('of inodes does the same', async () => {
    const target = place.path('few');
    mkdirSync(target);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m,nr_inodes=500', 'tmpfs', target]);
    try {
      const { code, stderr } = await place.respaldo(...restore(target));
      expect(code).toBe(1);
      expect(stderr).toContain('no space left on device (ENOSPC)');
      expect(statfsSync(target).ffree).toBeLessThan(10);
    } finally {
      execFileSync('umount', [target]);
    }
  });
});

test('the marker holds no secret', async () => {
  const target = place.path('marked');
  const started = place.start(restore(target));
  await expect.poll(() => existsSync(join(target, MARKER)), { timeout: 60_000, interval: 5 }).toBe(true);
  started.child.kill('SIGKILL');
  await started.ended;
  expect(readFileSync(join(target, MARKER), 'utf8')).not.toContain(place.env.RESPALDO_PASSWORD);
});

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
