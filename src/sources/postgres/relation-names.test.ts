import { describe, expect, it } from 'vitest';
import { placeOf } from './relation-names.ts';

const spaces = [{ oid: '16400', location: '/srv/attic', bytes: 0 }, { bytes: 0 }];

describe('the place of a relation’s file', () => {
  it.each([
    ['global/1262', { tablespace: 1664, database: 0, node: 1262 }],
    ['base/5/16384', { tablespace: 0, database: 5, node: 16384 }],
    ['base/5/16384_vm.2', { tablespace: 0, database: 5, node: 16384 }],
    ['pg_tblspc/16400/PG_18_202506291/5/24576', { tablespace: 16400, database: 5, node: 24576 }],
    ['srv/attic/PG_15_202209061/5/24576.1', { tablespace: 16400, database: 5, node: 24576 }],
    ['srv/elsewhere/PG_15_202209061/5/24576', undefined],
    ['pg_xact/0000', undefined],
  ])('%s', (file, place) => {
    expect(placeOf(file, spaces)).toEqual(place);
  });
});
