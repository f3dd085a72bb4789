import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

describe('The last line of a test run', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-reporter-'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Runs vitest, with our reporter, over one file for each text. */
  async function runTests(texts: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const head = "import { expect, it } from 'vitest';\n";
    await Promise.all(texts.map((text, at) => writeFile(join(folder, `${at}.test.mjs`), head + text)));
    const { promise, resolve } = Promise.withResolvers<{ code: number; lines: string[] }>();
    const reporters = ['--reporter', 'default', '--reporter', join(root, 'test/reporter.ts')];
    const clean = Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|RESPALDO_)/.test(name));
    execFile(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, ...reporters],
      { cwd: folder, env: { ...Object.fromEntries(clean), ...env } },
      (error, stdout) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), lines: stdout.trim().split('\n') }),
    );
    return promise;
  }

  const passes = "it('passes', () => expect(1).toBe(1));\n";
  const fails = "it('fails', () => expect(1).toBe(2));\n";
  const skips = "it.skip('is skipped', () => expect(1).toBe(1));\n";

  it('counts what passed and what failed', async () => {
    const { code, lines } = await runTests([passes + fails, passes]);
    expect(lines.at(-1)).toBe('2 passed, 1 failed');
    expect(code).toBe(1);
  });

  it('counts a file that does not load, and an error outside any test', async () => {
    const { code, lines } = await runTests([
      passes,
      'throw new Error("no");\n',
      `${passes}void Promise.reject(new Error());\n`,
    ]);
    expect(lines.at(-1)).toBe('2 passed, 2 failed');
    expect(code).toBe(1);
  });

  it('counts a suite that cannot be set up', async () => {
    const broken = `import { beforeAll, describe } from 'vitest';
      describe('broken', () => {
        beforeAll(() => { throw new Error('no'); });
        ${passes}
      });`;
    const { code, lines } = await runTests([passes, broken]);
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(code).toBe(1);
  });

  it('lets a skipped test pass, and names it', async () => {
    const { code, lines } = await runTests([passes + skips]);
    expect(lines.at(-1)).toBe('1 passed, 0 failed');
    expect(lines).toContainEqual(expect.stringMatching(/^skipped: 0\.test\.mjs > is skipped$/));
    expect(code).toBe(0);
  });

  it('counts a skipped test as failed where every component is there', async () => {
    const { code, lines } = await runTests([passes + skips], { RESPALDO_NO_SKIPPED_TESTS: '1' });
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(code).toBe(1);
  });
});
