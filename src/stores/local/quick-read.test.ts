import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { QuickRead } from './quick-read.ts';

describe('a quick read', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-quick-'));
    await writeFile(join(folder, 'small'), 'small');
    await writeFile(join(folder, 'long'), Buffer.alloc(65_537));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Every look at the clock is `step` milliseconds after the one before. */
  const reader = (step = 0, isBusy = () => false) => {
    let time = 0;
    const quick = new QuickRead({ now: () => new Date(0), monotonic: () => (time += isBusy() ? 3 : step) });
    return (name: string, range?: { offset: number; length: number }) => {
      const bytes = quick.read(join(folder, name), range);
      return bytes && Buffer.from(bytes).toString();
    };
  };

  it('gives the whole file, or a part', () => {
    expect(reader()('small')).toBe('small');
    expect(reader()('small', { offset: 1, length: 3 })).toBe('mal');
    expect(reader()('long', { offset: 65_530, length: 7 })).toBe('\0'.repeat(7));
  });

  it('leaves to others what is long, too short, or no file', () => {
    expect(reader()('long')).toBeUndefined();
    expect(reader()('small', { offset: 3, length: 3 })).toBeUndefined();
    expect(reader()('pipe')).toBeUndefined();
    expect(reader()('')).toBeUndefined();
    expect(() => reader()('nothing')).toThrow('ENOENT');
  });

  it('is given up where the medium makes everybody wait', () => {
    const [quick, slow] = [reader(1), reader(3)];
    const answers = (read: typeof slow) => Array.from({ length: 20 }, () => read('small')).filter(Boolean).length;
    expect(answers(quick)).toBe(20);
    expect(answers(slow)).toBe(8);
  });

  it('goes on where only the machine is busy now and then', () => {
    let looks = 0;
    // Two looks at the clock for each read: every twentieth one is slow.
    const read = reader(1, () => ++looks % 40 === 0);
    expect(Array.from({ length: 1000 }, () => read('small')).filter(Boolean)).toHaveLength(1000);
  });

  it('looks at what is there, and says nothing of what is not', () => {
    const quick = new QuickRead({ now: () => new Date(0), monotonic: () => 0 });
    expect(quick.look(join(folder, 'small'))?.size).toBe(5);
    expect(quick.look(join(folder, 'nothing'))).toBeUndefined();
  });
});
