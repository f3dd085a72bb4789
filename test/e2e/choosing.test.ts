import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';
import { Cluster, DEBIAN_15, debianBinaries, type Binaries } from '../fixtures/postgres.ts';
import { onTerminal, SCRIPT } from '../fixtures/terminal.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ESCAPE = '\u001b';
const DOWN = '\u001b[B';

describe.skipIf(SCRIPT === undefined)('A restore that is chosen at a terminal', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.withRepository();
    await place.ok('backup', 'data', '--time', '2025-01-01 00:00:00');
    await place.ok('backup', 'data/sub');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('shows what there is, asks where to and once more, and tells how long it took before', async () => {
    const choose = (folder: string) =>
      onTerminal(place, ['restore'], {}, [
        [/What is to be restored/, `${DOWN}\r`],
        [/Where to/, `${folder}\r`],
        [/Restore it/, 'y'],
      ]);
    const { code, stdout } = await choose('./chosen');
    expect(code).toBe(0);
    expect(stdout).toMatch(/[0-9a-f]{8} {2}just now +full +293\.0 KiB +stored/);
    expect(stdout).toMatch(/[0-9a-f]{8} {2}\d+ days ago +full +293\.0 KiB +stored/);
    expect(await readFile(place.path('chosen/data/a.txt'), 'utf8')).toBe('hello\n');
    expect((await choose('./again')).stdout).toMatch(/takes {2}about 0:\d\d, as earlier restores did/);
  });

  it.each([
    ['the choice', [[/What is to be restored/, CTRL_C]]],
    [
      'the place',
      [
        [/What is to be restored/, '\r'],
        [/Where to/, CTRL_C],
      ],
    ],
    [
      'the last question',
      [
        [/What is to be restored/, '\r'],
        [/Where to/, './cancelled\r'],
        [/Restore it/, CTRL_C],
      ],
    ],
    [
      'the last question, by no',
      [
        [/What is to be restored/, '\r'],
        [/Where to/, './cancelled\r'],
        [/Restore it/, 'n'],
      ],
    ],
  ] as const)('and cancelled at %s leaves nothing behind', async (_at, typing) => {
    expect((await onTerminal(place, ['restore'], {}, typing)).code).toBe(130);
    expect(existsSync(place.path('cancelled'))).toBe(false);
  });

  it('is refused in a pipe', async () => {
    const { code, stderr } = await place.respaldo('restore');
    expect(code).toBe(2);
    expect(stderr).toContain('no snapshot is named');
  });

  describe.skipIf(!existsSync(DEBIAN_15))('into a server', () => {
    let binaries: Binaries;
    let server: Cluster;
    beforeAll(async () => {
      binaries = await debianBinaries();
      server = await Cluster.create(binaries);
      await server.start();
      await server.query('CREATE DATABASE shop');
      await server.query('CREATE TABLE t AS SELECT 1 AS one', [], 'shop');
      await server.query('CREATE ROLE seller');
      await server.query('ALTER TABLE t OWNER TO seller', [], 'shop');
      await place.ok('backup', to('shop', '&method=logical'), '--tag', 'dump');
    });
    afterAll(async () => {
      await server.remove();
      await binaries.remove();
    });

    const to = (database: string, more = ''): string =>
      `postgresql://postgres@/${database}?host=${encodeURIComponent(server.folder)}&port=${String(server.port)}${more}`;
    const argv = (database: string) => ['restore', 'latest', '--tag', 'dump', '--to', to(database)];
    const rows = () => server.query('SELECT * FROM t', [], 'shop');

    it('replaces a database only after its name was typed', async () => {
      await server.query('UPDATE t SET one = 2', [], 'shop');
      for (const keys of ['\r', 'y\r', 'sho\r', CTRL_C, CTRL_D, ESCAPE])
        expect((await onTerminal(place, argv('shop'), {}, [[/Type its name/, keys]])).code).toBe(130);
      expect(await rows()).toEqual([{ one: 2 }]);
      expect((await place.respaldo(...argv('shop'))).code).toBe(2);
      expect(await rows()).toEqual([{ one: 2 }]);

      const { code, stdout } = await onTerminal(place, argv('shop'), {}, [[/Type its name/, 'shop\r']]);
      expect(stdout).toContain('replaces the one that is there');
      expect(code).toBe(0);
      expect(await rows()).toEqual([{ one: 1 }]);
      expect(await place.ok(...argv('shop'), '--dry-run', '--json')).toMatch(/"expected_seconds":\d/);
    });

    it('asks where to, and once more where nothing is replaced', async () => {
      const choose = (answer: string) =>
        onTerminal(place, ['restore', '--tag', 'dump'], {}, [
          [/What is to be restored/, '\r'],
          [/Where to/, `${to('chosen')}\r`],
          [/Restore it/, answer],
        ]);
      expect((await choose('n')).code).toBe(130);
      const there = () => server.query(`SELECT 1 AS one FROM pg_database WHERE datname = 'chosen'`);
      expect(await there()).toEqual([]);
      expect((await choose('y')).code).toBe(0);
      expect(await there()).toEqual([{ one: 1 }]);
      await server.query('DROP DATABASE chosen');
    });

    it('asks which one of several databases is meant', async () => {
      await server.query('CREATE DATABASE other');
      await place.ok('backup', to('', '&method=logical'), '--tag', 'several');
      const { code, stdout } = await onTerminal(place, ['restore', '--tag', 'several'], {}, [
        [/What is to be restored/, '\r'],
        [/Where to/, `${to('picked')}\r`],
        [/Which database\?[^]*all \d[^]*other[^]*shop/, `${DOWN}${DOWN}${DOWN}\r`],
        [/Restore it/, 'y'],
      ]);
      expect([code, stdout]).toEqual([0, expect.stringContaining('restored picked')]);
      expect(await server.query('SELECT * FROM t', [], 'picked')).toEqual([{ one: 1 }]);
      for (const name of ['picked', 'other']) await server.query(`DROP DATABASE ${name}`);
    });

    it('offers to make the roles that it lacks', async () => {
      await server.query('DROP OWNED BY seller', [], 'shop');
      await server.query('DROP ROLE seller');
      const offered = /lacks the roles seller: make them/;
      const refused = await onTerminal(place, argv('copy'), {}, [[offered, 'n']]);
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain('--create-roles');
      expect((await onTerminal(place, argv('copy'), {}, [[offered, 'y']])).code).toBe(0);
      const owner = `SELECT tableowner AS owner FROM pg_tables WHERE tablename = 't'`;
      expect(await server.query(owner, [], 'copy')).toEqual([{ owner: 'seller' }]);
    });
  });
});
