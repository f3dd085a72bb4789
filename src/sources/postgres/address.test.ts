import { describe, expect, it } from 'vitest';
import {
  customsOf,
  isPostgresAddress,
  parseAddress,
  parseTarget,
  serverName,
  snapshotPath,
  snapshotPaths,
} from './address.ts';

const customs = (env: NodeJS.ProcessEnv = {}) => ({ env, host: () => 'localhost', user: () => 'me' });
const parse = (address: string, env: NodeJS.ProcessEnv = {}) => parseAddress(address, customs(env));

describe('a PostgreSQL address', () => {
  it.each([
    ['postgresql://ana@db.example:5433/?method=physical', { host: 'db.example', port: 5433, user: 'ana' }],
    ['postgres://ana@db.example?method=physical', { host: 'db.example', port: 5432 }],
    ['postgresql://ana:s%3Acret@db/?method=physical', { user: 'ana', password: 's:cret' }],
    ['postgresql://ana@[::1]:5433/?method=physical', { host: '::1', port: 5433 }],
    ['postgresql://ana@/?host=/run/postgresql&method=physical', { host: '/run/postgresql' }],
    ['postgresql://ana@%2Frun%2Fpostgresql/?method=physical', { host: '/run/postgresql' }],
    ['postgresql://db/?method=physical&user=a+b&port=6000', { user: 'a+b', port: 6000 }],
    [
      'postgresql://a@db/?method=physical&sslmode=verify-full&sslrootcert=/ca.pem',
      { sslMode: 'verify-full', sslRootCert: '/ca.pem' },
    ],
  ])('reads %s', (address, expected) => {
    expect(isPostgresAddress(address)).toBe(true);
    expect(parse(address)).toMatchObject(expected);
  });

  it('takes what it does not say from libpq’s environment', () => {
    const env = { PGHOST: 'elsewhere', PGPORT: '6543', PGUSER: 'ana', PGSSLMODE: 'require', PGPASSFILE: '/pass' };
    expect(parse('postgresql://?method=physical', env)).toEqual({
      host: 'elsewhere',
      isDefaultHost: false,
      isDefaultPort: false,
      isDefaultUser: false,
      method: 'physical',
      databases: [],
      exclude: [],
      acceptSmaller: false,
      port: 6543,
      user: 'ana',
      sslMode: 'require',
      passFile: '/pass',
      connectTimeoutSeconds: 30,
    });
  });

  it.each([
    ['postgresql://ana@db/', 'does not say how'],
    ['postgresql://ana@db/shop?method=magic', '"magic"'],
    ['postgresql://ana@db/?method=physical&exclude=a', 'exclude='],
    ['postgresql://ana@db/?method=logical&jobs=0', 'jobs=0'],
    ['postgresql://ana@db/?method=logical&smaller=yes', 'smaller=yes'],
    ['postgresql://ana@db/shop?method=physical', '"shop"'],
    ['postgresql://ana@db/?method=physical&sslmod=require', '"sslmod"'],
    ['postgresql://ana@db/?method=physical&sslmode=yes', '"yes"'],
    ['postgresql://ana@db:99999/?method=physical', '"99999"'],
    ['postgresql://ana@db1,db2/?method=physical&port=a', '"a"'],
    ['postgresql://ana@db:port/?method=physical', 'form'],
    ['postgresql://ana@db/?method=%zz', 'percent'],
  ])('%s is refused', (address, what) => {
    expect(() => parse(address)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(what) as string }) as Error,
    );
  });

  it('never shows the password in what messages and snapshots tell', () => {
    const address = parse('postgresql://ana:secret@db/?method=physical');
    expect(`${serverName(address)} ${snapshotPath(address)}`).toBe('PostgreSQL at db:5432 /postgresql/db:5432');
  });

  it('names a socket’s server by its folder', () => {
    expect(snapshotPath(parse('postgresql:///?host=/run/postgresql&method=physical'))).toBe(
      '/postgresql/run/postgresql:5432',
    );
  });

  it('names the databases of a logical backup, and those that it leaves out', () => {
    const address = parse('postgresql://db/shop,a%2Cb?method=logical&exclude=test*,old&jobs=3');
    expect(address).toMatchObject({ databases: ['shop', 'a,b'], exclude: ['test*', 'old'], jobs: 3 });
    expect(snapshotPaths(address)).toEqual(['/postgresql/db:5432/databases/shop', '/postgresql/db:5432/databases/a,b']);
    expect(snapshotPaths(parse('postgresql://db/?method=logical'))).toEqual(['/postgresql/db:5432/databases']);
  });

  it('tells servers apart that are reached by the same address, each in its own container', () => {
    const address = parse('postgresql:///shop?method=logical');
    expect(snapshotPaths(address, 'docker/shop-db')).toEqual([
      '/postgresql/docker/shop-db/localhost:5432/databases/shop',
    ]);
    expect(snapshotPaths(address)).toEqual(['/postgresql/localhost:5432/databases/shop']);
  });

  it('means what lies in a container where the tools run there, whatever this host’s variables say', () => {
    const inside = parseAddress('postgresql:///?method=logical', customsOf(false));
    expect(inside).toMatchObject({ isDefaultHost: true, isDefaultPort: true, isDefaultUser: true, host: 'localhost' });
  });

  it('makes of any database’s name one that a file can have', () => {
    const paths = snapshotPaths(parse('postgresql://db/..,a%2Fb,%25?method=logical'));
    expect(paths.map((path) => path.replace(/.*databases./, ''))).toEqual(['%2e.', 'a%2fb', '%25']);
  });

  it('is, where a dump is restored to, that of one database or none', () => {
    expect(parseTarget('postgresql://ana@db/shop', customs())).toMatchObject({
      server: { user: 'ana' },
      database: 'shop',
    });
    expect(parseTarget('postgresql://ana@db/', customs())).not.toHaveProperty('database');
    for (const address of ['postgresql://db/a,b', 'postgresql://db/?jobs=2', 'postgresql://db/?method=physical'])
      expect(() => parseTarget(address, customs())).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });
});
