import { describe, expect, it } from 'vitest';
import { type CacheFlags, chooseCache } from './cache.ts';
import type { Environment } from './secrets.ts';

describe('The folder of caches', () => {
  const choose = (flags: Partial<CacheFlags>, env: Environment) =>
    chooseCache({
      flags: { cache: true, ...flags },
      env: { HOME: '/home/maria', ...env },
      workingDirectory: '/home/ana',
    });

  it('is that of the user, by the rules of XDG', () => {
    expect(choose({}, {})).toBe('/home/maria/.cache/respaldo');
    expect(choose({}, { XDG_CACHE_HOME: '/var/cache/maria' })).toBe('/var/cache/maria/respaldo');
    expect(choose({}, { XDG_CACHE_HOME: 'caches' })).toBe('/home/maria/.cache/respaldo');
    expect(choose({}, { RESPALDO_CACHE_DIR: '', RESTIC_CACHE_DIR: '' })).toBe('/home/maria/.cache/respaldo');
  });

  it("is named by the command line before our variable before restic's", () => {
    const env = { RESPALDO_CACHE_DIR: '/ours', RESTIC_CACHE_DIR: '/restics', XDG_CACHE_HOME: '/xdg' };
    expect(choose({ cacheDir: 'here' }, env)).toBe('/home/ana/here');
    expect(choose({}, env)).toBe('/ours');
    expect(choose({}, { ...env, RESPALDO_CACHE_DIR: '' })).toBe('/restics');
    expect(choose({}, { RESPALDO_CACHE_DIR: 'relative' })).toBe('/home/ana/relative');
  });

  it('is none where none is wanted, whatever the environment says', () => {
    expect(choose({ cache: false }, { RESPALDO_CACHE_DIR: '/ours' })).toBeUndefined();
  });

  it('cannot be wanted and not', () => {
    expect(() => choose({ cache: false, cacheDir: '/x' }, {})).toThrow('contradict each other');
  });
});
