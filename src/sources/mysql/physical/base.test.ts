import { describe, expect, it } from 'vitest';
import { isChain, whyEverything, whyNotLast, type Base } from './base.ts';
import { parseCheckpoints, parsePosition } from './told.ts';

const base: Base = {
  serverVersion: '10.11.6-MariaDB',
  server: { hostname: 'db', dataDirectory: '/var/lib/mysql', startedAt: 1000 },
  pageBytes: 16384,
  last: { toLsn: '18446744073709551000', lastLsn: '18446744073709551600' },
};
const files = {
  ...base.server,
  pageBytes: 16384,
  lsn: 18446744073709551600n,
  sizes: new Map<string, number>(),
  bytes: 0,
  uncopied: [],
  outside: [],
  encrypted: [],
};
const now = { serverVersion: base.serverVersion, files };

describe('The last increment of a snapshot', () => {
  const last = { toLsn: '900', lastLsn: '950' };
  const before = { ...base, last: { toLsn: '500', lastLsn: '600' } };
  const facts = { ...base, chain: [{ toLsn: '100', lastLsn: '200' }, before.last, last] };

  it('holds what has changed since the copy that it builds upon', () => {
    expect(whyNotLast(before, facts)).toBeUndefined();
  });

  it('does not where it builds upon another one, or is of another server, or is no increment', () => {
    expect(whyNotLast({ ...before, last }, facts)).toContain('upon another copy');
    expect(whyNotLast({ ...before, last: { toLsn: '500', lastLsn: '601' } }, facts)).toContain('upon another copy');
    expect(whyNotLast({ ...before, serverVersion: '11.4.2-MariaDB' }, facts)).toContain('upon another copy');
    const other = { ...before.server, startedAt: 1001 };
    expect(whyNotLast({ ...before, server: other }, facts)).toContain('upon another copy');
    expect(whyNotLast(before, { ...facts, chain: [last] })).toContain('in one copy');
  });
});

describe('A copy', () => {
  it('holds only what has changed where it is surely the same server, however far its log has come', () => {
    expect(whyEverything(base, now)).toBeUndefined();
    expect(whyEverything(base, { ...now, files: { ...files, lsn: files.lsn + 1n } })).toBeUndefined();
  });

  it.each([
    ['another server', { hostname: 'other' }],
    ['another server', { dataDirectory: '/srv/mysql' }],
    ['started anew', { startedAt: 1001 }],
    ['another one', { pageBytes: 8192 }],
    ['gone back', { lsn: files.lsn - 1n }],
    ['does not tell', { lsn: undefined }],
  ])('holds everything where the reason is: %s', (why, other) => {
    expect(whyEverything(base, { ...now, files: { ...files, ...other } })).toContain(why);
  });

  it('holds everything after an upgrade', () => {
    expect(whyEverything(base, { ...now, serverVersion: '10.11.7-MariaDB' })).toContain('another one');
  });

  it('builds upon the one before it', () => {
    const links = [
      { fromLsn: '0', toLsn: '10' },
      { fromLsn: '10', toLsn: '20' },
    ];
    expect(isChain(links)).toBe(true);
    expect(isChain(links.slice(1))).toBe(false);
    expect(isChain([...links, { fromLsn: '10', toLsn: '30' }])).toBe(false);
  });

  it('tells where it begins and ends', () => {
    const text = 'backup_type = incremental\nfrom_lsn = 44404\nto_lsn = 44405\nlast_lsn = 18446744073709551600\n';
    expect(parseCheckpoints(text)).toEqual({ fromLsn: '44404', toLsn: '44405', lastLsn: '18446744073709551600' });
    expect(() => parseCheckpoints('from_lsn = 0\n')).toThrow('to_lsn');
  });

  it('tells where in the binary log it belongs', () => {
    expect(parsePosition('bin.000002\t373\t0-1-9,1-2-3\n')).toEqual({
      file: 'bin.000002',
      offset: 373,
      gtid: '0-1-9,1-2-3',
    });
    expect(parsePosition('bin.000002\t373\t\n')).toEqual({ file: 'bin.000002', offset: 373 });
    expect(parsePosition('')).toEqual({});
  });
});
