import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, which, Workplace } from '../fixtures/cli.ts';
import { compareTrees, makeHostileTree } from '../fixtures/tree.ts';

const RESTIC = which('restic-0.18');
/** Root restores owners and every attribute; others what they may. */
const UNPACK = ['-xpf', 'ours.tar', '-C', 'unpacked', '--xattrs', '--xattrs-include=*'];

describe.skipIf(RESTIC === undefined || which('tar') === undefined)('A dumped folder', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.make();
    await place.makeRepository();
    makeHostileTree(place.path('hostile'));
    await place.ok('backup', 'hostile');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  /** Runs a program with its standard output in a file. */
  const into = (file: string, program: string, ...argv: string[]): void => {
    const target = openSync(place.path(file), 'w');
    try {
      execFileSync(program, argv, { cwd: place.folder, env: place.env, stdio: ['ignore', target, 'pipe'] });
    } finally {
      closeSync(target);
    }
  };
  const dump = (file: string, ...argv: string[]): void => into(file, process.execPath, BIN, 'dump', ...argv);
  const namesIn = (archive: string): string[] =>
    execFileSync('tar', ['-tf', archive, '--quoting-style=c'], { cwd: place.folder, maxBuffer: 1e9 })
      .toString('latin1')
      .split('\n')
      .sort();

  it('unpacks to what was backed up, whatever its names, links, owners, modes, times and attributes', () => {
    dump('ours.tar', 'latest:/hostile', '/');
    mkdirSync(place.path('unpacked'));
    execFileSync('tar', UNPACK, { cwd: place.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const different = compareTrees(place.path('hostile'), place.path('unpacked')).map((line) => line.split(':')[0]);
    // An archive cannot hold them, or we leave them out as restic does.
    const leftOut = ['"/modes/fifo"', '"/modes/character device"', '"/modes/block device"'];
    expect(different).toContain('"/modes/fifo"');
    expect(different.filter((name) => !leftOut.includes(name ?? ''))).toEqual([]);
  });

  it('holds the same names as that of restic', () => {
    dump('ours.tar', 'latest', '/hostile');
    into('theirs.tar', RESTIC ?? '', 'dump', 'latest', '/hostile', '--no-cache');
    expect(namesIn('ours.tar')).toEqual(namesIn('theirs.tar'));
    dump('ours-part.tar', 'latest:/hostile', '/folders', '--archive', 'tar');
    into('theirs-part.tar', RESTIC ?? '', 'dump', 'latest:/hostile', '/folders', '--no-cache');
    expect(namesIn('ours-part.tar')).toEqual(namesIn('theirs-part.tar'));
  });

  it('may be only a file, then it is its bytes', () => {
    dump('file', 'latest:/hostile/contents', '/compressible');
    expect(readFileSync(place.path('file')).equals(readFileSync(place.path('hostile/contents/compressible')))).toBe(
      true,
    );
  });

  it('says what it leaves out, and what is not there', async () => {
    const { code, stderr } = await place.respaldo('dump', 'latest', '/hostile/modes');
    expect(code).toBe(0);
    expect(stderr).toContain('warning: left out: /hostile/modes/fifo is a fifo');
    expect((await place.respaldo('dump', 'latest', '/hostile/modes/fifo')).code).toBe(2);
    expect((await place.respaldo('dump', 'latest', '/nowhere')).code).toBe(1);
    expect((await place.respaldo('dump', 'latest', '/hostile', '--archive', 'rar')).code).toBe(2);
  });

  it('unpacks from a zip archive, too, with all that zip knows', async () => {
    mkdirSync(place.path('plain/sub'), { recursive: true });
    for (const name of ['ümlaut', 'back\\slash', 'sub/empty'])
      writeFileSync(place.path(`plain/${name}`), name.slice(4));
    writeFileSync(place.path('plain/sub/large'), Buffer.alloc(3_000_000, 'many words '));
    chmodSync(place.path('plain/sub/large'), 0o640);
    symlinkSync('sub/large', place.path('plain/link'));
    await place.ok('backup', 'plain', '--tag', 'plain');
    await place.ok('dump', 'latest:/plain', '/', '--tag', 'plain', '--archive', 'zip', '--target', 'ours.zip');
    // Elsewhere it writes names that are not ASCII in a way of its own.
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    execFileSync('unzip', ['-q', '-d', 'unzipped', 'ours.zip'], { cwd: place.folder, env });
    const different = compareTrees(place.path('plain'), place.path('unzipped'));
    // Owners are those of who unpacks, times have seconds.
    expect(different.filter((line) => !/mtime|atime|ctime|uid|gid|time/.test(line))).toEqual([]);
    into(
      'theirs.zip',
      RESTIC ?? '',
      'dump',
      '--archive',
      'zip',
      'latest:/hostile',
      '/',
      '--no-cache',
      '--path',
      place.path('hostile'),
    );
    dump('ours.zip', 'latest:/hostile', '/', '--archive', 'zip', '--path', place.path('hostile'));
    const listed = (archive: string): string[] =>
      execFileSync('unzip', ['-Z1', archive], { cwd: place.folder, maxBuffer: 1e9 })
        .toString('latin1')
        .split('\n')
        .sort();
    expect(listed('ours.zip')).toEqual(listed('theirs.zip'));
    expect(readdirSync(place.folder).filter((name) => name.includes('.respaldo-'))).toEqual([]);
  });
});
