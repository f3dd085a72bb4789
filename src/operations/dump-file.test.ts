import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dumpFile } from './dump-file.ts';

const { signal } = new AbortController();

describe('A file of another tool', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-dump-file-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is unpacked as its first bytes say, again and again, and left alone where they say nothing', async () => {
    const file = join(folder, 'shop.sql');
    await writeFile(file, gzipSync('SELECT 1;\n'));
    const { content } = await dumpFile(file, signal);
    for (let time = 0; time < 2; time += 1)
      expect(Buffer.concat(await Array.fromAsync(content?.read() ?? [])).toString()).toBe('SELECT 1;\n');
    await writeFile(file, 'SELECT 1;\n');
    for (const other of [file, folder, join(folder, 'absent')])
      expect(await dumpFile(other, signal)).toEqual({ file: other });
  });

  it('is no pipe and no device, which nobody could read twice', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const file of [pipe, '/dev/zero'])
      await expect(dumpFile(file, signal)).rejects.toMatchObject({
        code: 'usage',
        hint: expect.stringContaining('save it to a file') as string,
      });
  });
});
