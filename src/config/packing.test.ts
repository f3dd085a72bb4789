import { describe, expect, it } from 'vitest';
import { choosePacking } from './packing.ts';

describe('How new packs are made', () => {
  it('is left to the repository where nobody says anything', () => {
    expect(choosePacking({}, {})).toEqual({});
    expect(choosePacking({}, { RESPALDO_PACK_SIZE: '', RESTIC_COMPRESSION: '' })).toEqual({});
  });

  it("is said by the command line before our variables before restic's", () => {
    const env = {
      RESPALDO_PACK_SIZE: '8',
      RESTIC_PACK_SIZE: '9',
      RESPALDO_COMPRESSION: 'off',
      RESTIC_COMPRESSION: 'max',
    };
    expect(choosePacking({ packSize: '128', compression: 'auto' }, env)).toEqual({
      packBytes: 128 * 2 ** 20,
      compression: 'auto',
    });
    expect(choosePacking({}, env)).toEqual({ packBytes: 8 * 2 ** 20, compression: 'off' });
    expect(choosePacking({}, { RESTIC_PACK_SIZE: '9', RESTIC_COMPRESSION: 'max' })).toEqual({
      packBytes: 9 * 2 ** 20,
      compression: 'max',
    });
  });

  it.each(['3', '129', '16M', '-8', '1e1', ' 8'])('is not %j MiB', (packSize) => {
    expect(() => choosePacking({ packSize }, {})).toThrow('from 4 to 128');
  });
});
