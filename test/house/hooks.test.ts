import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

describe('npm run hooks', () => {
  let folder: string;
  const git = (...argv: string[]) => {
    const identity = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org'];
    return run('git', [...identity, ...argv], { cwd: folder, env: isolated });
  };
  /** Without the variables that git sets for the hooks in which this test may itself run. */
  const isolated = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
    PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-hooks-'));
    for (const path of [
      'package.json',
      'eslint.config.js',
      'tsconfig.json',
      '.prettierrc.json',
      '.gitignore',
      '.githooks',
    ])
      await cp(join(root, path), join(folder, path), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await git('init', '--quiet');
    await run('npm', ['run', 'hooks'], { cwd: folder, env: isolated });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('makes git refuse a commit that is not formatted', async () => {
    await writeFile(join(folder, 'ugly.js'), 'export  const   x = "1"\n');
    await git('add', 'ugly.js');
    await expect(git('commit', '--message', 'Add something')).rejects.toThrow('ugly.js');
  });

  it('lets a clean commit pass, whatever else lies in the folder', async () => {
    await writeFile(join(folder, 'ugly.js'), "export const x = '1';\n");
    await writeFile(join(folder, 'draft.js'), 'export  const   y = "1"\n');
    await git('add', 'ugly.js');
    await git('commit', '--message', 'Add something');
    expect((await git('log', '--format=%s')).stdout).toBe('Add something\n');
  });
});
