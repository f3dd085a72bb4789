import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hasEnded, ourselves, ownerMark, standingOf } from './owner.ts';

it('has ended when it was killed, although nobody has asked for its exit code', async () => {
  // The shell becomes a program that asks nobody for anything.
  const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [told] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(told.toString());
    const words = () => readFileSync(`/proc/${String(pid)}/stat`, 'latin1').split(' ');
    const owner = { ...(await ourselves()), pid, began: words()[21] ?? '' };
    expect([await standingOf(owner), await hasEnded(ownerMark(owner))]).toEqual(['alive', false]);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => words()[2]).toBe('Z');
    expect([await standingOf(owner), await hasEnded(ownerMark(owner))]).toEqual(['dead', true]);
  } finally {
    parent.kill('SIGKILL');
  }
});
