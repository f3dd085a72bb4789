import { describe, expect, it } from 'vitest';
import type { ArchivedFile, Manifest } from './archive.ts';
import { chainOf } from './chain.ts';

const file = (key: string, chain?: Manifest['chain'], state: ArchivedFile['state'] = 'whole'): ArchivedFile => ({
  key,
  state,
  manifest: { run: `run of ${key}`, ...(chain && { chain }) } as Manifest,
});
const full = file('full', { id: 'c', level: 0 });
const one = file('one', { id: 'c', level: 1, parent: 'run of full' });
const again = file('again', { id: 'c', level: 1, parent: 'run of full' });
const two = file('two', { id: 'c', level: 2, parent: 'run of again' });
const other = file('other', { id: 'd', level: 1, parent: 'run of full' });

describe('the files that a restore takes', () => {
  it.each([
    [file('plain'), ['plain']],
    [full, ['full']],
    [one, ['full', 'one']],
    [two, ['full', 'again', 'two']],
  ])('for %o are %o, whatever else there is', (wanted, keys) => {
    const files = [two, one, again, full, other];
    expect(chainOf(wanted, files).map(({ key }) => key)).toEqual(keys);
  });

  it.each([
    ['the first is missing', two, [two, again], 'level 0 before again is not there'],
    ['one between is missing', two, [two, one, full], 'level 1 before two is not there'],
    ['one is of another chain', other, [full], 'level 0 before other is not there'],
    ['one is cut', one, [file('full', { id: 'c', level: 0 }, 'resized')], 'full, of level 0, is not whole'],
    ['one is gone', one, [file('full', { id: 'c', level: 0 }, 'missing')], 'full, of level 0, is not whole'],
  ])('are refused where %s', (_what, wanted, files, why) => {
    expect(() => chainOf(wanted, files)).toThrow(why);
  });
});
