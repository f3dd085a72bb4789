import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobsOf } from './history.ts';
import { writeMixedTree } from './mixed-tree.ts';
import { changeSmallFiles, writeSmallFiles } from './small-files.ts';
import { writeSqlDump } from './sql-dump.ts';

const SCALE = 0.001;

describe('Generated data', () => {
  let folder: string;
  const inner = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-data-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Hashes of all files and targets of all links, by path. */
  function content(of: string): Record<string, string> {
    const paths = readdirSync(of, { recursive: true, encoding: 'utf8' }).sort();
    return Object.fromEntries(
      paths.flatMap((path) => {
        const stat = lstatSync(join(of, path));
        if (stat.isSymbolicLink()) return [[path, readlinkSync(join(of, path))]];
        return stat.isFile()
          ? [
              [
                path,
                createHash('sha256')
                  .update(readFileSync(join(of, path)))
                  .digest('hex'),
              ],
            ]
          : [];
      }),
    );
  }

  it('is the same every time', () => {
    const [first, second] = [inner('first'), inner('second')];
    for (const target of [first, second]) {
      writeMixedTree(target, SCALE);
      writeSmallFiles(join(target, 'small'), SCALE);
      writeSqlDump(join(target, 'dump.sql'), SCALE);
    }
    const made = content(first);
    expect(Object.keys(made).length).toBeGreaterThan(100);
    expect(content(second)).toEqual(made);
  });

  it('changes one file of a hundred', () => {
    const target = inner('small');
    writeSmallFiles(target, SCALE);
    const before = content(target);
    changeSmallFiles(target, SCALE);
    const after = content(target);
    const changed = Object.keys(before).filter((path) => before[path] !== after[path]);
    expect([Object.keys(after).length, changed.length]).toEqual([100, 1]);
  });

  it('is as much SQL as was asked for', () => {
    const path = join(folder, 'dump.sql');
    writeSqlDump(path, SCALE);
    const text = readFileSync(path, 'latin1');
    expect(text.length).toBe(4_000_000);
    expect(text).toMatch(/^--\n-- PostgreSQL database dump\n/);
  });
});

describe('A history', () => {
  it('comes to as many blobs as were counted', () => {
    const history = { snapshots: 3, folders: 4, files: 5, changedFolders: 2, changedFiles: 1, fileBytes: 100 };
    // 4 trees of 5 files and a root; then twice 2 trees of 1 file and a root.
    expect(blobsOf(history)).toBe(25 + 10);
  });
});
