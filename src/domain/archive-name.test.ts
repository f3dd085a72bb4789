import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveKey, numberedKey, templateComplaint, type NamedFile } from './archive-name.ts';

const FILE: NamedFile = {
  plan: 'shop',
  database: 'orders',
  host: 'web1',
  time: new Date('2026-11-21T17:01:58.123Z'),
  extension: 'sql',
  ending: '.gz.gpg',
};

describe('the key of a file', () => {
  it.each([
    ['{plan}/{database}-{time}', 'shop/orders-20261121T170158Z.sql.gz.gpg'],
    ['{plan}-{database}-{time}.sql.gz.gpg', 'shop-orders-20261121T170158Z.sql.gz.gpg'],
    ['{plan}-{name}-{time}.gz.gpg', 'shop-orders-20261121T170158Z.sql.gz.gpg'],
    [
      '{year}/{month}/{day}/{host}_{date}_{time}_{database}',
      '2026/11/21/web1_2026-11-21_20261121T170158Z_orders.sql.gz.gpg',
    ],
    ['v1.2/{database}.{time}', 'v1.2/orders.20261121T170158Z.sql.gz.gpg'],
  ])('of %s is %s', (template, key) => {
    expect(archiveKey(template, FILE)).toBe(key);
  });

  it('has the ending of its source once, whatever that is', () => {
    for (const template of ['{plan}-{database}-{time}.rdb.gz.gpg', '{plan}-{database}-{time}'])
      expect(archiveKey(template, { ...FILE, extension: 'rdb' })).toBe('shop-orders-20261121T170158Z.rdb.gz.gpg');
  });

  it.each([
    ['../../etc/passwd', '%2e.%2f..%2fetc%2fpasswd'],
    ['a/b', 'a%2fb'],
    ['-rf', '%2drf'],
    ['año 1', 'año%201'],
    ['', '%'],
  ])('keeps the database %j within its place', (database, shown) => {
    const key = archiveKey('{plan}/{database}-{time}', { ...FILE, database });
    expect(key).toBe(`shop/${shown}-20261121T170158Z.sql.gz.gpg`);
  });

  it('is safe for every name, and of two names never the same', () => {
    const key = (database: string) => archiveKey('{database}-{time}', { ...FILE, database });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        expect(key(one)).toMatch(/^[^/\u0000-\u001f\\.-][^/\u0000-\u001f\\]*$/u);
        expect(Buffer.byteLength(key(one))).toBeLessThanOrEqual(255);
        if (one.normalize('NFC') !== other.normalize('NFC')) expect(key(one)).not.toBe(key(other));
      }),
    );
  });

  it('of a name that is too long keeps both ends, and stays its own', () => {
    const [one, other] = ['a', 'b'].map((middle) =>
      archiveKey('{database}-{time}', { ...FILE, database: `${'x'.repeat(300)}${middle}${'y'.repeat(300)}` }),
    );
    expect(one).toMatch(/^x{60}-[0-9a-f]{16}-y+-20261121T170158Z\.sql\.gz\.gpg$/);
    expect(one).not.toBe(other);
  });

  it('gets a number before its endings where it is taken', () => {
    expect(numberedKey('a.b/shop-1.sql.gz.gpg', 2)).toBe('a.b/shop-1-2.sql.gz.gpg');
    expect(numberedKey('a.b/shop', 3)).toBe('a.b/shop-3');
  });
});

describe('a template', () => {
  it.each([
    ['{plan}/{database}-{time}', undefined],
    ['{plan}-{database}-{time}.sql.gz.gpg', undefined],
    ['{name}-{time}.tar.gz.gpg', undefined],
    ['{plan}-{time}', 'lacks {database}'],
    ['{plan}-{database}', 'lacks {time}'],
    ['{database}-{time}-{databse}', 'has {databse}'],
    ['{database}-{time', 'brace'],
    ['/{database}-{time}', 'empty part'],
    ['../{database}-{time}', 'begins with a dot'],
    ['{database}-{time}.sql.gz', 'ends in .sql.gz, but the files of this archive end in .sql.gz.gpg'],
    ['{database}-{time}.bz2.gpg', 'ends in .bz2.gpg'],
    ['{database}-{time}\n', 'control character'],
  ])('%j: %s', (template, complaint) => {
    const said = templateComplaint(template, 'gzip', 'gpg');
    if (complaint === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(complaint);
  });
});
