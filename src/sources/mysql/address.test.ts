import { describe, expect, it } from 'vitest';
import { isMysqlAddress, parseAddress, parseTarget, snapshotPaths } from './address.ts';

const parse = (address: string) => parseAddress(address, true);

describe('an address of MySQL', () => {
  it.each(['mysql://root@localhost/shop', 'mariadb:///', 'mysql://u:p@[::1]:3307/a,b?exclude=x*'])(
    'is %s',
    (address) => {
      expect(isMysqlAddress(address)).toBe(true);
      expect(() => parse(address)).not.toThrow();
    },
  );

  it('names server, user, databases and what to leave out', () => {
    const address =
      'mysql://me:s%40d@[::1]:3307/shop,a%2Cb?exclude=t*,old&arg=--complete-insert&arg=-C&jobs=3&smaller=accept';
    expect(parse(address)).toMatchObject({
      host: '::1',
      port: 3307,
      isDefaultPort: false,
      user: 'me',
      password: 's@d',
      databases: ['shop', 'a,b'],
      exclude: ['t*', 'old'],
      extraArguments: ['--complete-insert', '-C'],
      acceptSmaller: true,
      jobs: 3,
      sslMode: 'prefer',
    });
  });

  it('means who asks on this host, and root in a container', () => {
    expect(parseAddress('mysql:///', false).user).toBe('root');
    expect(parseAddress('mysql:///', true).isDefaultUser).toBe(true);
  });

  it.each([
    ['mysql:/x', 'not of the form'],
    ['mysql:///?method=telepathic', 'no method "telepathic"'],
    ['mysql:///?jobs=0', 'jobs=0 is no number'],
    ['mysql:///?colour=red', '"colour" is not known'],
    ['mysql:///?socket=run.sock', 'no absolute path'],
    ['mysql://h:99999/', 'is not a port'],
    ['mysql://h/?sslmode=maybe', 'sslmode "maybe"'],
    ['mysql://h/?smaller=yes', 'smaller=yes means nothing'],
    ['mysql://h/%zz', 'percent-encoding'],
    ['mysql://h/?arg=--result-file=/x', 'elsewhere'],
  ])('is not %s', (address, message) => {
    expect(() => parse(address)).toThrow(message);
  });

  it('of a restore names one database, and nothing that only a backup is asked', () => {
    expect(parseTarget('mysql://h/shop', true)).toMatchObject({ database: 'shop', server: { host: 'h' } });
    expect(() => parseTarget('mysql://h/a,b', true)).toThrow('several databases');
    expect(() => parseTarget('mysql://h/a?exclude=b', true)).toThrow('exclude= means nothing');
  });

  it.each([
    ['mysql://h/', undefined, ['/mysql/h:3306/databases']],
    ['mysql://h:3307/b,a', undefined, ['/mysql/h:3307/databases/b', '/mysql/h:3307/databases/a']],
    ['mysql:///?socket=/run/m.sock', undefined, ['/mysql/run/m.sock/databases']],
    ['mysql:///', 'docker/db', ['/mysql/docker/db/localhost:3306/databases']],
  ])('%s is known by its paths', (address, place, paths) => {
    expect(snapshotPaths(parse(address), place)).toEqual(paths);
  });
});
