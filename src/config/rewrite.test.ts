import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rewriteConfig } from './rewrite.ts';

const TEXT = 'plans:\n  shop: { source: ./shop }\n';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'respaldo-rewrite-'));
  file = path.join(folder, 'respaldo.yaml');
  await writeFile(file, TEXT);
  await chmod(file, 0o640);
});
afterEach(() => rm(folder, { recursive: true }));

const named = (name: string) => (text: string) => text.replace('shop:', `${name}:`);

it('a configuration is replaced in one step, with its mode, and a link to it stays one', async () => {
  const link = path.join(folder, 'link.yaml');
  await symlink('respaldo.yaml', link);
  const { before, after, config } = await rewriteConfig(link, named('blog'), true);
  expect([before, after]).toEqual([TEXT, named('blog')(TEXT)]);
  expect([...config.plans.keys()]).toEqual(['blog']);
  expect(await readFile(file, 'utf8')).toBe(after);
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect((await readdir(folder)).toSorted()).toEqual(['link.yaml', 'respaldo.yaml']);
});

it('it stays as it is where only a look is wanted', async () => {
  const { after } = await rewriteConfig(file, named('blog'), false);
  expect(after).toContain('blog');
  expect(await readFile(file, 'utf8')).toBe(TEXT);
});

it('it stays as it is where the new one would not be valid', async () => {
  await expect(rewriteConfig(file, named('a.b'), true)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringMatching(/was not changed: it would not be valid\n.*:2:3 plans/) as string,
  });
  expect(await readFile(file, 'utf8')).toBe(TEXT);
});

it('what somebody else writes meanwhile is not lost', async () => {
  const change = (text: string): string => {
    writeFileSync(file, '# theirs\n');
    return named('blog')(text);
  };
  await expect(rewriteConfig(file, change, true)).rejects.toMatchObject({
    message: expect.stringContaining('changed by somebody else') as string,
  });
  expect(await readFile(file, 'utf8')).toBe('# theirs\n');
  expect(await readdir(folder)).toEqual(['respaldo.yaml']);
});
