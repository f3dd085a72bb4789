import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESTICS } from '../test/fixtures/restic.ts';
import { readResults } from './results.ts';

const root = join(import.meta.dirname, '..');
/** One on files, which change meanwhile, and one on a repository that was put together. */
const ROWS = ['changed-small', 'prune'];

describe('The bench', () => {
  let folder: string;
  let code: number;
  let stdout: string;
  let stderr: string;

  const bench = (...argv: string[]): Promise<void> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [join(root, 'bench/bench.ts'), ...argv], (_, out, err) => {
        [code, stdout, stderr] = [child.exitCode ?? -1, out, err];
        resolve();
      });
    });
  const small = () => [
    ...['--scale', '0.001', '--runs', '1', '--program', join(root, 'bin/respaldo.js')],
    ...['--folder', folder, '--results', join(folder, 'results'), '--tool', 'respaldo', '--tool', 'restic'],
  ];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-bench-test-'));
    await bench(...small(), ...ROWS.flatMap((row) => ['--row', row]));
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('measures every row that was asked for and prints it in a table', () => {
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(2 + ROWS.length);
    expect(lines[0]).toMatch(/^\| work, at 0\.001 of these sizes +\| wall s: ours/);
    expect(lines[2]).toContain('second backup, 1 %');
  });

  it('keeps what it measured, of each tool', () => {
    const { rows } = readResults(join(folder, 'results'), 0.001);
    expect(Object.keys(rows).sort()).toEqual(ROWS.toSorted());
    for (const { medians, ratios, samples } of Object.values(rows)) {
      expect(samples.respaldo).toHaveLength(1);
      expect(medians.respaldo?.memory).toBeGreaterThan(10e6);
      if (RESTICS.length > 0) expect(ratios.wall).toBeGreaterThan(0);
    }
    expect(rows['prune']?.medians.respaldo?.stored).toBeGreaterThan(0);
  });

  it('leaves nothing behind but that', async () => {
    expect(await readdir(folder)).toEqual(['results']);
  });

  it('refuses a row that there is not, and names those that there are', async () => {
    await bench('--row', 'nonsense');
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no row nonsense: choose of first-mixed, /);
  });
});
