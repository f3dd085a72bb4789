import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const PATH = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);

/** Paths of every package that an installation without development packages has, relative to the checkout. */
async function productionPackages(): Promise<string[]> {
  const argv = ['ls', '--omit=dev', '--omit=optional', '--all', '--parseable'];
  const { stdout } = await run('npm', argv, { cwd: root, env: { ...process.env, PATH } });
  const paths = stdout
    .trim()
    .split('\n')
    .map((path) => relative(root, path));
  return paths.filter((path) => path !== '');
}

/**
 * The package as somebody gets it: packed, unpacked under node_modules, with exactly the packages that it declares
 * beside it. No registry is asked, so that the test runs without a network.
 */
describe('The packed npm package', () => {
  let folder: string;
  let installed: string;
  let files: string[];

  const respaldo = (...argv: string[]) =>
    run(process.execPath, [join(installed, 'bin/respaldo.js'), ...argv], {
      cwd: folder,
      env: {
        PATH,
        HOME: folder,
        RESPALDO_REPOSITORY: join(folder, 'repository'),
        RESPALDO_PASSWORD: 'correct horse',
      },
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-package-'));
    installed = join(folder, 'node_modules/respaldo');
    await run('npm', ['pack', '--pack-destination', folder], { cwd: root, env: { ...process.env, PATH } });
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
    await mkdir(installed, { recursive: true });
    await run('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
    for (const path of await productionPackages())
      await cp(join(root, path), join(folder, path), { recursive: true, verbatimSymlinks: true });
    files = await readdir(installed, { recursive: true });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds what was compiled, and neither sources nor tests', () => {
    expect(files).toEqual(expect.arrayContaining(['bin/respaldo.js', 'dist/main.cjs', 'LICENSE', 'README.md']));
    expect(files).toEqual(expect.arrayContaining(['dist/kernel.wasm', 'dist/LICENSES.txt']));
    expect(files.filter((file) => file.endsWith('.ts') || file.includes('.test.'))).toEqual([]);
  });

  it('runs from node_modules, where Node strips no types', async () => {
    const { stdout } = await respaldo('--help');
    expect(stdout).toContain('backup');
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect((await respaldo('--version')).stdout).toContain(version);
  });

  it('backs up, checks and restores, with its worker threads and its kernel', async () => {
    const data = join(folder, 'data');
    await mkdir(data);
    await writeFile(join(data, 'letter'), 'dear reader\n');
    await writeFile(join(data, 'noise'), crypto.getRandomValues(new Uint8Array(60_000)));
    await symlink('letter', join(data, 'link'));
    await respaldo('init');
    await respaldo('backup', './data');
    await respaldo('check', '--read-data');
    await respaldo('restore', 'latest', '--target', './restored');
    await run('diff', ['--recursive', '--no-dereference', data, join(folder, 'restored/data')]);
  });
});
