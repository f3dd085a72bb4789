import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, which, Workplace, type Ended } from '../fixtures/cli.ts';
import { onTerminal as runOnTerminal, SCRIPT, type Typing } from '../fixtures/terminal.ts';

const COLOUR = /\u001b\[\d+m/;
const HOSTILE = 'a\nsnapshot 1a2b3c4d saved\u001b[2J\u202e';

describe.skipIf(SCRIPT === undefined)('On a terminal', () => {
  let place: Workplace;

  function onTerminal(
    argv: readonly string[],
    env?: NodeJS.ProcessEnv,
    typing?: Typing,
    node?: string,
  ): Promise<Ended> {
    return runOnTerminal(place, argv, env, typing, node);
  }

  beforeAll(async () => {
    place = await Workplace.withRepository();
    await mkdir(place.path('names'));
    await writeFile(place.path(`names/${HOSTILE}`), '');
    await writeFile(place.path('names/año 日本'), '');
    await place.ok('backup', 'names');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('tables have colours, unless NO_COLOR or --no-color say otherwise', async () => {
    expect((await onTerminal(['snapshots'])).stdout).toMatch(COLOUR);
    expect((await onTerminal(['snapshots'], { NO_COLOR: '1' })).stdout).not.toMatch(COLOUR);
    expect((await onTerminal(['snapshots', '--no-color'])).stdout).not.toMatch(COLOUR);
    expect(await place.ok('snapshots')).not.toMatch(COLOUR);
  });

  it('a backup shows how far it is in one line that is gone at the end', async () => {
    await writeFile(place.path('data/hole'), '');
    await truncate(place.path('data/hole'), 3_000_000_000);
    const { code, stdout } = await onTerminal(['backup', 'data', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\r\u001b\[2K\[0:\d\d\] [\d.]+% {2}\d+ \/ \d+ files {2}[\d.]+ .iB \/ 2\.8 GiB {2}[\d.]+ .iB\/s/,
    );
    const lines = stdout.split('\r\u001b[2K').filter((line) => line.startsWith('['));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
    expect(stdout).toMatch(/\r\u001b\[2K {2}files {4}4 new/);
  });

  it('nothing but the result is shown in a pipe, or when quiet', async () => {
    const { stdout, stderr } = await place.respaldo('backup', 'names');
    expect(stdout + stderr).not.toContain('\r');
    expect(stdout.split('\n')).toHaveLength(7);
    expect((await onTerminal(['backup', 'names', '--quiet'])).stdout).toBe('');
  });

  it('names cannot act on it', async () => {
    const { stdout } = await onTerminal(['ls', 'latest', '/names']);
    expect(stdout).toContain(String.raw`"/names/a\nsnapshot 1a2b3c4d saved\x1b[2J\u202e"`);
    expect(stdout).toContain('/names/año 日本');
    expect(stdout).not.toContain('\u001b[2J');
    expect(stdout).not.toContain('\u202e');
    const error = await onTerminal(['backup', HOSTILE.replace("'", '')]);
    expect(error.code).toBe(1);
    expect(error.stdout).not.toMatch(/^snapshot/m);
    expect(error.stdout).not.toContain('\u001b[2J');
  });

  it('a missing password is asked for, and not shown', async () => {
    const withoutPassword = { RESPALDO_PASSWORD: '', RESTIC_PASSWORD: '' };
    const password = place.env.RESPALDO_PASSWORD ?? '';
    const { code, stdout } = await onTerminal(['snapshots'], withoutPassword, [
      [/password of the repository/, `${password}\r`],
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\d snapshots?\r\n$/);
    expect(stdout).not.toContain(password);
    const given = await onTerminal(['snapshots'], withoutPassword, [[/password of the repository/, '\u0003']]);
    expect(given.code).toBe(130);
  });

  it('nothing is asked where nobody can answer', async () => {
    const { code, stderr } = await place.start(['snapshots'], { RESPALDO_PASSWORD: '', RESTIC_PASSWORD: '' }).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('no password for the repository');
  });

  it('a new password is asked for twice', async () => {
    const env = { RESPALDO_PASSWORD: '', RESTIC_PASSWORD: '', RESPALDO_REPOSITORY: place.path('new') };
    const different: Typing = [
      [/new password/, 'one\r'],
      [/once more/, 'other\r'],
    ];
    const refused = await onTerminal(['init'], env, different);
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain('the two passwords are not the same');
    const same: Typing = [
      [/new password/, 'one\r'],
      [/once more/, 'one\r'],
    ];
    expect((await onTerminal(['init'], env, same)).code).toBe(0);
    await place.start(['snapshots'], { ...env, RESPALDO_PASSWORD: 'one' }).ended;
  });

  it('files are replaced only after a yes', async () => {
    await mkdir(place.path('full'));
    await writeFile(place.path('full/x'), 'mine');
    const argv = ['restore', 'latest', '--target', 'full', '--overwrite', 'always'];
    const refused = await onTerminal(argv, {}, [[/replace what is in it/, 'n']]);
    expect(refused.code).toBe(130);
    expect(refused.stdout).toContain('nothing was changed');
    expect((await onTerminal(argv, {}, [[/replace what is in it/, 'y']])).code).toBe(0);
    expect((await onTerminal([...argv, '--yes'])).code).toBe(0);
  });

  it('Ctrl-C ends a backup in order, also where an older Node has started it and gets it too', async () => {
    await writeFile(place.path('data/hole'), '');
    await truncate(place.path('data/hole'), 100_000_000_000);
    const nodes = new Set([process.execPath, which('node') ?? process.execPath, '/usr/bin/node'].filter(existsSync));
    for (const node of nodes) {
      const { code, stdout } = await onTerminal(['backup', 'data'], {}, [[/ETA/, '\u0003']], node);
      expect(code).toBe(130);
      expect(stdout).toContain('stopping and cleaning up');
      expect(stdout).toContain(' interrupted by Ctrl-C');
    }
    expect(await place.ok('unlock', '--remove-all')).toBe('there was no lock to remove\n');
  });
});

describe('The reader of standard output', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.withRepository();
    await mkdir(place.path('many'));
    for (let i = 0; i < 3000; i++) await writeFile(place.path(`many/a file with a rather long name ${i}`), '');
    await writeFile(place.path('many/big'), Buffer.alloc(5_000_000));
    await place.ok('backup', 'many');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it.each([
    ['ls latest', 'head -1', '0'],
    ['ls latest --json', 'true', '0'],
    ['snapshots', 'true', '0'],
    ['dump latest /many/big', 'head -c 1', '141'],
  ])('may go away from %s', async (argv, into, code) => {
    const script = `{ "$0" "$1" ${argv}; echo "code $?" >&2; } 2>told | ${into} > taken; cat told`;
    const told = await place.run('bash', '-c', script, process.execPath, BIN);
    expect(told).toBe(`code ${code}\n`);
  });

  it('that cannot take everything fails the command', async () => {
    const { code, stderr } = await place.startProgram([
      'sh',
      '-c',
      '"$0" "$1" ls latest > /dev/full',
      process.execPath,
      BIN,
    ]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^respaldo: cannot write to standard output: .*no space left/);
  });
});
