/** What the options of `restore` do to a target is what restic does to it. */
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { writeAttributes } from '../../src/repository/filesystem/attributes.ts';
import { compareTrees } from '../fixtures/tree.ts';

const RESTIC = 'restic-0.18';

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
  await place.makeRepository();
  for (const name of ['a.txt', 'B.TXT', 'keep/old.md', 'keep/deep/x.txt', 'other/y']) write(`data/${name}`, name);
  mkdirSync(place.path('data/empty'));
  symlinkSync('a.txt', place.path('data/link'));
  writeAttributes(place.path('data/a.txt'), [
    { name: 'user.one', value: Buffer.from('1').toString('base64') },
    { name: 'user.two', value: Buffer.from('2').toString('base64') },
  ]);
  await place.run(RESTIC, 'backup', '--no-cache', 'data');
  // What somebody has made of an earlier restore.
  cpSync(place.path('data'), place.path('used'), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  for (const name of ['more.txt', 'keep/more.TXT', 'keep/deep/more/inside', 'other/z', 'empty/not', 'new/x.txt'])
    write(`used/${name}`, name);
  write('used/a.txt', 'A.TXT');
  write('used/keep/old.md', 'newer and longer');
  utimesSync(place.path('used/keep/old.md'), 4e9, 4e9);
  write('used/keep/deep/x.txt', 'older');
  utimesSync(place.path('used/keep/deep/x.txt'), 1e9, 1e9);
  rmSync(place.path('used/other/y'));
  rmSync(place.path('used/link'));
  symlinkSync('/nowhere', place.path('used/link'));
});
afterAll(() => place[Symbol.asyncDispose]());

function write(name: string, content: string): void {
  mkdirSync(place.path(name.slice(0, name.lastIndexOf('/'))), { recursive: true });
  writeFileSync(place.path(name), content);
  chmodSync(place.path(name), 0o644);
}

const cases = [
  ['--delete'],
  ['--delete', '--overwrite', 'never'],
  ['--delete', '--overwrite', 'if-newer', '--exclude', 'deep'],
  ['--delete', '--overwrite', 'if-changed', '--include', 'keep'],
  ['--delete', '--include', '*.txt'],
  ['--delete', '--iinclude', '*.Txt', '--iinclude', '/OTHER'],
  ['--delete', '--iexclude', '*.TxT', '--exclude', '/new'],
  ['--overwrite', 'always', '--exclude-file', 'patterns'],
  ['--overwrite', 'always', '--iinclude-file', 'patterns'],
  ['--overwrite', 'always', '--sparse', '--verify', '--exclude-xattr', '*.one'],
  ['--overwrite', 'always', '--include-xattr', 'user.t*'],
];
test.each(cases.map((options) => ({ options })))('$options leaves what restic leaves', async ({ options }) => {
  writeFileSync(place.path('patterns'), '# comment\n*.txt\n');
  for (const program of ['ours', 'theirs']) {
    rmSync(place.path(program), { recursive: true, force: true });
    // With the times of folders and links, and to the nanosecond.
    await place.run('cp', '-a', 'used', program);
  }
  await place.ok('restore', 'latest:/data', '--target', 'ours', ...options);
  await place.run(RESTIC, '--no-cache', 'restore', 'latest:/data', '--target', 'theirs', ...options);
  expect(compareTrees(place.path('theirs'), place.path('ours'))).toEqual([]);
});

test('a dry run tells the same as restic, and changes nothing', async () => {
  const argv = ['restore', 'latest:/data', '--target', place.path('used'), '--delete', '--dry-run'];
  const about = (text: string): unknown[] =>
    messages(text)
      .filter(({ message_type }) => message_type === 'verbose_status')
      .map(({ action, item }) => `${String(action)} ${String(item)}`)
      .filter((line) => line.startsWith('deleted'))
      .toSorted();
  const ours = about(await place.ok(...argv, '--json', '-v'));
  expect(ours).toEqual(about(await place.run(RESTIC, '--no-cache', ...argv, '--json', '-vv')));
  expect(ours.length).toBeGreaterThan(5);
  expect(await place.ok(...argv, '-v')).toContain('deleted   ');
  expect(await place.run('cat', place.path('used/new/x.txt'))).toBe('new/x.txt');
});

test('what makes no sense together is refused', async () => {
  for (const options of [
    ['--include', 'a', '--iexclude', 'b'],
    ['--include-xattr', 'a', '--exclude-xattr', 'b'],
    ['--dry-run', '--verify'],
    ['--iinclude', '[a'],
  ])
    expect(await place.respaldo('restore', 'latest', '--target', 'never', ...options)).toMatchObject({ code: 2 });
  const root = await place.respaldo('restore', 'latest', '--target', '/', '--delete', '--dry-run');
  expect(root).toMatchObject({ code: 2 });
  expect(root.stderr).toContain('would empty this machine');
});
