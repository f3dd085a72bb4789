import { describe, expect, it } from 'vitest';
import { parseLsn, segmentNames } from './lsn.ts';

const MIB = 1024 * 1024;

describe('WAL positions', () => {
  it('are numbers', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16b374d848n);
  });

  it.each([
    ['0/5000028', '0/5000100', 16, ['000000010000000000000005']],
    ['0/5000028', '0/6000000', 16, ['000000010000000000000005']],
    ['0/5000028', '0/6000001', 16, ['000000010000000000000005', '000000010000000000000006']],
    ['0/FF000000', '1/1', 16, ['0000000100000000000000FF', '000000010000000100000000']],
    ['0/FF000000', '1/1', 64, ['00000001000000000000003F', '000000010000000100000000']],
  ])('from %s up to %s lie in segments of %i MiB', (start, end, mib, names) => {
    expect(segmentNames(1, parseLsn(start), parseLsn(end), mib * MIB)).toEqual(names);
  });
});
