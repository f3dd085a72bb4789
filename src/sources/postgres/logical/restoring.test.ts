import { describe, expect, it } from 'vitest';
import { chooseDatabases } from './choose-databases.ts';
import { createStatement, propertyStatements, roleStatements } from './database-sql.ts';
import { differences } from './differences.ts';
import type { DatabaseFacts, LogicalFacts } from './facts.ts';
import { foreignSql, requireRestorable } from './foreign-sql.ts';
import type { DatabaseInventory } from './inventory.ts';
import { missingRoles, obstaclesOf } from './restore-obstacles.ts';
import { literal } from './sql.ts';
import type { TargetServer } from './target-server.ts';

const SHOP: DatabaseFacts = {
  name: 'shop',
  folder: '/dump/shop',
  owner: 'ana',
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'C',
  localeProvider: 'c',
  locale: null,
  icuRules: null,
  tablespace: 'pg_default',
  connectionLimit: -1,
  comment: null,
  grants: null,
  settings: [],
  bytes: 1000,
  dumpBytes: 500,
  cut: 16_384,
  extensions: [{ name: 'plpgsql', version: '1.0', schema: 'pg_catalog' }],
  relations: [
    {
      schema: 'public',
      name: 't',
      sql: 'public.t',
      kind: 'table',
      owner: 'ana',
      grants: ['ana=r/ana', '"b ""o b"=r/ana', '=r/ana'],
      bytes: 1,
      rowEstimate: 1,
      rows: 2,
    },
  ],
  sequences: [{ name: 'public.s', value: '5', called: true }],
  counts: { functions: 1 },
  largeObjects: 0,
};

const TARGET: TargetServer = {
  version: '15.8',
  number: 150_008,
  standby: false,
  mayCreateDatabases: true,
  roles: ['ana', 'b "o b'],
  extensions: ['plpgsql'],
  tablespaces: ['pg_default'],
  databases: new Map(),
  unfinished: [],
  abandoned: [],
  disks: [{ tablespaces: ['pg_default'], freeBytes: 1500 }],
};

const FACTS = { serverVersion: '15.8', serverVersionNumber: 150_008, databases: [SHOP] } as unknown as LogicalFacts;

describe('the databases of a backup', () => {
  const database = (name: string, about = {}) =>
    ({ name, template: false, connect: true, ...about }) as DatabaseInventory;
  const all = [
    database('a'),
    database('b1'),
    database('b2', { connect: false }),
    database('template1', { template: true }),
  ];
  const names = (databases: string[], exclude: string[]) =>
    chooseDatabases(all, { databases, exclude }, 'the server').map(({ name }) => name);

  it('are all but templates and what is left out, or those that are named', () => {
    expect(names([], ['b2'])).toEqual(['a', 'b1']);
    expect(names([], ['b?', 'x*'])).toEqual(['a']);
    expect(names(['template1', 'a'], [])).toEqual(['a', 'template1']);
  });

  it('must exist, and let us in', () => {
    expect(() => names(['c'], [])).toThrow(expect.objectContaining({ code: 'source-missing' }) as Error);
    expect(() => names([], ['*'])).toThrow(expect.objectContaining({ code: 'source-missing' }) as Error);
    expect(() => names([], [])).toThrow(expect.objectContaining({ code: 'source-refused' }) as Error);
  });
});

function disk(freeBytes: number, ...tablespaces: string[]): TargetServer['disks'] {
  return [{ tablespaces: tablespaces.length === 0 ? ['pg_default'] : tablespaces, freeBytes }];
}

describe('a restore into a server', () => {
  const free = { inPlace: false, disconnect: false, createRoles: false };
  const obstacles = (
    target: Partial<TargetServer>,
    request = free,
    replaces?: { bytes: number; sessions: number },
    as = 'shop',
  ) =>
    obstaclesOf(
      {
        target: { ...TARGET, ...target },
        planned: [{ name: 'shop', target: as, ...(replaces && { replaces }) }],
        neededBytes: SHOP.bytes,
        missingRoles: missingRoles([SHOP], { ...TARGET, ...target }),
        dump: { facts: FACTS, databases: [SHOP] },
      },
      request,
    ).join('\n');

  it('meets no obstacle where everything is there', () => {
    expect(obstacles({})).toBe('');
    expect(obstacles({ number: 160_001, version: '16.1' })).toBe('');
    expect(obstacles({ disks: [] })).toBe('');
  });

  it.each([
    [{ number: 140_001, version: '14.1' }, 'older 14.1'],
    [{ standby: true }, 'standby'],
    [{ mayCreateDatabases: false }, 'CREATEDB'],
    [{ roles: ['ana'] }, 'b "o b: --create-roles'],
    [{ extensions: [] }, 'extension plpgsql'],
    [{ tablespaces: [] }, 'tablespace pg_default'],
    [
      { databases: new Map([['shop', { bytes: 1, sessions: 0, tablespace: 'pg_default', isOurs: false }]]) },
      '"shop" belongs to another role',
    ],
    [{ disks: disk(900) }, 'The server’s disk has not enough room'],
    [{ disks: disk(900, 'fast', 'pg_default') }, 'The disk of the tablespaces fast, pg_default has not enough room'],
  ])('is stopped by %o', (target, what) => {
    expect(obstacles(target)).toContain(what);
  });

  it('is stopped by sessions, unless they may be ended, and by a lack of room for both', () => {
    expect(obstacles({}, free, { bytes: 1, sessions: 2 })).toContain('2 sessions');
    expect(obstacles({}, { ...free, disconnect: true }, { bytes: 1, sessions: 2 })).toBe('');
    expect(obstacles({ disks: disk(500) }, free, { bytes: 600, sessions: 0 })).toContain('--in-place');
    expect(obstacles({ disks: disk(500) }, { ...free, inPlace: true }, { bytes: 600, sessions: 0 })).toBe('');
  });

  it('says that several databases would fit one after the other, where there is no room for all at once', () => {
    const blog: DatabaseFacts = { ...SHOP, name: 'blog', folder: '/dump/blog' };
    const of = (freeBytes: number, inPlace = false) =>
      obstaclesOf(
        {
          target: { ...TARGET, disks: disk(freeBytes) },
          planned: ['shop', 'blog'].map((name) => ({ name, target: name, replaces: { bytes: 900, sessions: 0 } })),
          neededBytes: 2 * SHOP.bytes,
          missingRoles: [],
          dump: { facts: FACTS, databases: [SHOP, blog] },
        },
        { ...free, inPlace },
      ).join('\n');
    expect(of(2 * SHOP.bytes)).toBe('');
    expect(of(2 * SHOP.bytes - 1)).toContain(
      'one after the other: restore each alone, by latest:/dump/<database> (shop, blog)',
    );
    expect(of(2 * SHOP.bytes - 1, true)).toBe('');
    expect(of(SHOP.bytes)).toMatch(/^The server’s disk has no room for old and new side by side: [^\n]*$/);
  });

  it('wants room on each disk for what comes to lie there', () => {
    const fast: DatabaseFacts = { ...SHOP, name: 'fast', folder: '/dump/fast', tablespace: 'fast', bytes: 300 };
    const large = {
      ...TARGET,
      tablespaces: ['pg_default', 'fast'],
      abandoned: [{ name: 'x', tablespace: 'fast', bytes: 200 }],
    };
    const of = (free1: number, free2: number, how: object = {}, moved?: string) =>
      obstaclesOf(
        {
          target: {
            ...large,
            disks: [...disk(free1), ...disk(free2, 'fast')],
            databases: new Map([['fast', { bytes: 250, sessions: 0, tablespace: moved ?? 'fast', isOurs: true }]]),
          },
          planned: [
            { name: 'shop', target: 'shop' },
            { name: 'fast', target: 'fast', replaces: { bytes: 250, sessions: 0 } },
          ],
          neededBytes: SHOP.bytes + 300,
          missingRoles: [],
          dump: { facts: FACTS, databases: [SHOP, fast] },
        },
        { ...free, ...how },
      ).join('\n');
    expect(of(SHOP.bytes, 300)).toBe('');
    expect(of(SHOP.bytes - 1, 3000)).toBe('The server’s disk has not enough room: free some.');
    expect(of(9000, 299)).toMatch(
      /^The disk of the tablespace fast has no room for old and new side by side: --in-place/,
    );
    expect(of(9000, 49)).toBe('The disk of the tablespace fast has not enough room: free some.');
    // What goes before makes room where it is.
    expect(of(9000, 100, { dropUnfinished: true })).toBe('');
    expect(of(9000, 50, { inPlace: true })).toBe('');
    expect(of(9000, 50, { inPlace: true }, 'pg_default')).toContain('tablespace fast has not enough room');
    expect(of(SHOP.bytes - 250, 300, { inPlace: true }, 'pg_default')).toBe('');
    // All on one disk.
    const one = { disks: disk(SHOP.bytes + 299, 'fast', 'pg_default') };
    expect(obstacles(one)).toBe('');
  });

  it('is stopped where it would take the place of what new databases are made of', () => {
    expect(obstacles({}, free, undefined, 'template1')).toContain('restore under another name');
  });

  it('makes a database as it was', () => {
    expect(createStatement(SHOP, 'a"b', 150_000)).toBe(
      `CREATE DATABASE "a""b" TEMPLATE = template0 ENCODING = 'UTF8' LC_COLLATE = 'C' LC_CTYPE = 'C' LOCALE_PROVIDER = libc`,
    );
    expect(createStatement({ ...SHOP, tablespace: 'fast' }, 'x', 150_000)).toContain('TABLESPACE = "fast"');
    const icu = { ...SHOP, localeProvider: 'i', locale: 'es', icuRules: '&a < b' };
    expect(createStatement(icu, 'x', 160_000)).toContain(
      "LOCALE_PROVIDER = icu ICU_LOCALE = 'es' ICU_RULES = '&a < b'",
    );
    const rich: DatabaseFacts = {
      ...SHOP,
      connectionLimit: 5,
      grants: [{ grantee: '', privilege: 'CONNECT', grantable: true }],
      settings: [{ role: 'ana', values: ['search_path="$user", public', 'work_mem=1MB'] }],
    };
    expect(propertyStatements(rich, 'x')).toEqual([
      'ALTER DATABASE "x" OWNER TO "ana"',
      'REVOKE ALL ON DATABASE "x" FROM PUBLIC, "ana"',
      'GRANT CONNECT ON DATABASE "x" TO PUBLIC WITH GRANT OPTION',
      'ALTER ROLE "ana" IN DATABASE "x" SET "search_path" TO "$user", public',
      `ALTER ROLE "ana" IN DATABASE "x" SET "work_mem" TO '1MB'`,
      'ALTER DATABASE "x" CONNECTION LIMIT 5',
    ]);
  });

  it('makes of the roles those that are missing', () => {
    const globals = `CREATE ROLE ana;\nALTER ROLE ana WITH LOGIN;\nCREATE ROLE "b ""o b";\nALTER ROLE "b ""o b" WITH LOGIN PASSWORD 'x';\nGRANT ana TO "b ""o b" GRANTED BY postgres;\nGRANT "b ""o b" TO ana;\n`;
    expect(roleStatements(globals, ['b "o b'])).toEqual([
      'CREATE ROLE "b ""o b";',
      `ALTER ROLE "b ""o b" WITH LOGIN PASSWORD 'x';`,
      'GRANT ana TO "b ""o b" GRANTED BY postgres;',
    ]);
  });

  it('quotes text as SQL does', () => {
    expect(literal("it's")).toBe("'it''s'");
    expect(literal('a\\b')).toBe(" E'a\\\\b'");
  });
});

describe('what was restored', () => {
  const [table] = SHOP.relations;
  if (table === undefined) throw new Error('no table');

  it('is the same as what was dumped, whatever the order of rights', () => {
    expect(differences(SHOP, SHOP, true)).toEqual([]);
    const turned = { ...SHOP, relations: [{ ...table, grants: table.grants?.toReversed() ?? null }] };
    expect(differences(SHOP, turned, true)).toEqual([]);
  });

  it.each([
    [{ relations: [] }, 'table public.t is missing'],
    [{ relations: [{ ...table, rows: 1 }] }, 'rows of public.t: 1 instead of 2'],
    [{ relations: [{ ...table, owner: 'eva' }] }, 'owner of public.t: eva'],
    [{ relations: [{ ...table, grants: null }] }, 'rights on public.t'],
    [{ sequences: [] }, 'value of public.s: none instead of 5'],
    [{ sequences: [{ name: 'public.s', value: '5', called: false }] }, 'value of public.s: 5 (not yet used)'],
    [{ extensions: [] }, 'extension plpgsql'],
    [{ counts: { functions: 0 } }, 'functions: 0 instead of 1'],
    [{ largeObjects: 1 }, 'large objects'],
  ])('is found to differ by %o', (found, what) => {
    expect(differences(SHOP, { ...SHOP, ...found }, true).join()).toContain(what);
  });

  it('may have other rights and counts in another major version', () => {
    expect(differences(SHOP, { ...SHOP, relations: [{ ...table, grants: null }], counts: {} }, false)).toEqual([]);
  });
});

describe('SQL of another tool', () => {
  const pass = async (sql: string) => {
    const content = { databases: new Set<string>(), isWhole: false, isPgDump: false, hasStatements: false };
    const pieces = async function* () {
      for (const char of Buffer.from(sql)) yield await Promise.resolve(Uint8Array.of(char));
    };
    const out = await Array.fromAsync(foreignSql(pieces(), content), (piece) => Buffer.from(piece));
    return { text: Buffer.concat(out).toString(), content };
  };
  const HEAD = '-- PostgreSQL database dump\n';
  const END = '-- PostgreSQL database dump complete\n';

  it('loses what would leave the database that it is restored into, outside of rows', async () => {
    const rows = 'COPY t (a) FROM stdin;\n\\connect x\nDROP TABLE t;\n\\.\n';
    const { text, content } = await pass(
      `${HEAD}\\restrict KEY\nDROP DATABASE shop;\nCREATE DATABASE shop WITH ENCODING = 'UTF8';\n\\connect shop\nALTER DATABASE shop SET x TO y;\n\\connect shop\nALTER TABLE ONLY t DROP CONSTRAINT k;\nDROP TABLE t;\nCREATE TABLE t ();\n${rows}GRANT ALL ON DATABASE shop TO ana;\n${END}`,
    );
    expect(text).toBe(`${HEAD}CREATE TABLE t ();\n${rows}${END}`);
    expect(content).toEqual({ databases: new Set(['shop']), isWhole: true, isPgDump: true, hasStatements: true });
    expect(() => requireRestorable(content, 'f')).not.toThrow();
  });

  it('is refused if it was cut short or holds several databases', async () => {
    const cut = await pass(`${HEAD}CREATE TABLE t ();\n`);
    expect(() => requireRestorable(cut.content, 'f')).toThrow(
      expect.objectContaining({ code: 'source-damaged' }) as Error,
    );
    const several = await pass('\\connect a\nSELECT 1;\n\\connect b\n');
    expect(() => requireRestorable(several.content, 'f')).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });

  it.each(['', '\n-- nothing\n', 'DROP DATABASE shop;\n\\connect shop\n'])(
    'is refused if it says nothing: %j',
    async (sql) => {
      const { content } = await pass(sql);
      expect(() => requireRestorable(content, 'f')).toThrow('f is empty');
    },
  );
});
