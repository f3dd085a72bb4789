import { readdirSync, watch } from 'node:fs';
import { open, readdir, truncate, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIN, which, Workplace, type Started } from '../fixtures/cli.ts';

/** Resolves as soon as the folder holds an object, and not just one that is being written. */
async function filled(folder: string): Promise<void> {
  const watcher = watch(folder);
  try {
    while (!readdirSync(folder).some((name) => /^[0-9a-f]{64}$/.test(name))) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

describe('An interrupted command', () => {
  let place: Workplace;
  let started: Started | undefined;

  const locks = (): Promise<string[]> => readdir(place.path('repository/locks'));

  /** A backup in the midst of a file that takes minutes to read. */
  async function backupUnderWay(env: NodeJS.ProcessEnv = {}): Promise<Started> {
    started = place.start(['backup', 'data'], env);
    await filled(place.path('repository/locks'));
    return started;
  }

  beforeEach(async () => {
    place = await Workplace.withRepository();
    // A hole: long to read, and nothing on the disk.
    await writeFile(place.path('data/large'), '');
    await truncate(place.path('data/large'), 100_000_000_000);
  });
  afterEach(async () => {
    started?.child.kill('SIGKILL');
    await started?.ended;
    await place[Symbol.asyncDispose]();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s exits 130, leaves no lock and no snapshot, and the repository is clean',
    async (signal) => {
      const { child, ended } = await backupUnderWay();
      child.kill(signal);
      const { code, stdout, stderr } = await ended;
      expect(code).toBe(130);
      expect(stderr).toMatch(/^respaldo: interrupted (by|because)/m);
      expect(stdout).not.toContain('saved');
      expect(await locks()).toEqual([]);
      expect(await place.ok('snapshots')).toBe('no snapshots\n');
      expect(await place.ok('check', '--read-data')).toContain('no damage was found');
      expect(await place.ok('runs')).toMatch(/cancelled/);
    },
  );

  it('is not what restic asks for when it looks whether the holder of a lock is alive', async () => {
    const { child, ended } = await backupUnderWay();
    child.kill('SIGHUP');
    // A whole other command in the meantime: long enough for a cancelled backup to be gone.
    expect(await place.ok('snapshots')).toBe('no snapshots\n');
    expect(await locks()).toHaveLength(1);
    child.kill('SIGINT');
    expect((await ended).stderr).toMatch(/^respaldo: interrupted by Ctrl-C/m);
  });

  it('tells programs so', async () => {
    started = place.start(['backup', 'data', '--json']);
    await filled(place.path('repository/locks'));
    started.child.kill('SIGINT');
    const { code, stderr } = await started.ended;
    expect(code).toBe(130);
    expect(JSON.parse(stderr)).toMatchObject({ message_type: 'exit_error', code: 130 });
  });

  it('keeps others out while it goes on, and they say who holds the lock', async () => {
    const { child } = await backupUnderWay();
    child.kill('SIGSTOP');
    const refused = await place.respaldo('prune');
    expect(refused.code).toBe(11);
    expect(refused.stderr).toContain(String(child.pid));
    expect(refused.stderr).toContain('respaldo unlock');
    expect(await place.ok('unlock')).toBe('there was no lock to remove\n');
    expect(await place.ok('snapshots')).toBe('no snapshots\n');
    child.kill('SIGCONT');
  });

  it('that was killed leaves a lock that holds nobody up, and that unlock removes', async () => {
    const { child, ended } = await backupUnderWay();
    child.kill('SIGKILL');
    await ended;
    expect(await locks()).toHaveLength(1);
    expect(await place.ok('check')).toContain('no damage was found');
    expect(await place.ok('unlock')).toBe('removed 1 lock\n');
    expect(await locks()).toEqual([]);
  });

  it('ends with the command that started it under an older Node', async ({ skip }) => {
    const old = ['/usr/bin/node', which('node')].find((path) => path !== undefined && path !== process.execPath);
    const version = old === undefined ? '24' : (await place.run(old, '--version')).replace('v', '');
    if (old === undefined || Number.parseInt(version) >= 24) return skip('there is no older Node here');
    started = place.startProgram([old, BIN, 'backup', 'data']);
    await filled(place.path('repository/locks'));
    started.child.kill('SIGINT');
    expect((await started.ended).code).toBe(130);
    expect(await locks()).toEqual([]);

    started = place.startProgram([old, BIN, 'backup', 'data']);
    await filled(place.path('repository/locks'));
    started.child.kill('SIGKILL');
    const { stderr } = await started.ended;
    expect(stderr).toContain('interrupted because the process that started it ended');
    expect(await locks()).toEqual([]);
  });

  it('ends at once at the second signal, whatever it is stuck in', async () => {
    await place.run('mkfifo', 'nobody-writes');
    started = place.start(['snapshots', '--password-file', 'nobody-writes']);
    const { child, ended } = started;
    // It opens as soon as somebody reads: now it is stuck.
    await using _silent = await open(place.path('nobody-writes'), 'w');
    const again = setInterval(() => child.kill('SIGINT'), 100);
    const { code, stderr } = await ended;
    clearInterval(again);
    expect([code, child.signalCode]).toEqual([null, 'SIGINT']);
    expect(stderr).toBe('');
  });
});
