import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../domain/snapshot.ts';
import { encodeSnapshot, parseSnapshot } from './snapshot-record.ts';

const ID = '0'.repeat(64);
const TREE = 'a'.repeat(64);
const PARENT = 'b'.repeat(64);

const whole: Omit<Snapshot, 'id'> = {
  time: '2026-01-31T12:34:56.123456789+01:00',
  parent: PARENT,
  tree: TREE,
  paths: ['/home/<&>', '/etc'],
  hostname: 'db1',
  username: 'maria',
  uid: 1000,
  gid: 100,
  excludes: ['*.o'],
  tags: ['nightly', 'incomplete'],
  original: PARENT,
  program_version: 'respaldo 1.0',
  summary: {
    backup_start: '2026-01-31T12:34:56Z',
    backup_end: '2026-01-31T12:35:56Z',
    files_new: 1,
    files_changed: 2,
    files_unmodified: 3,
    dirs_new: 4,
    dirs_changed: 5,
    dirs_unmodified: 6,
    data_blobs: 7,
    tree_blobs: 8,
    data_added: 9,
    data_added_packed: 10,
    total_files_processed: 11,
    total_bytes_processed: 12,
  },
};

describe('a snapshot’s record', () => {
  test('reads as it was written', () => {
    expect(parseSnapshot(ID, encodeSnapshot(whole))).toEqual({ id: ID, ...whole });
  });

  test('is written in restic’s order, without what is empty, with Go’s escapes', () => {
    const { time, tree, paths } = whole;
    const record = { time, tree, paths, hostname: '', username: 'maria', uid: 0, gid: 0, tags: [] };
    expect(Buffer.from(encodeSnapshot(record)).toString()).toBe(
      `{"time":"${time}","tree":"${TREE}","paths":["/home/\\u003c\\u0026\\u003e","/etc"],"username":"maria"}`,
    );
  });

  test('may have fields that are new to us, and null for an empty list', () => {
    const json = JSON.stringify({ time: whole.time, tree: TREE, paths: null, tags: null, colour: 'red' });
    expect(parseSnapshot(ID, Buffer.from(json))).toEqual({
      id: ID,
      time: whole.time,
      tree: TREE,
      paths: [],
      hostname: '',
      username: '',
      tags: [],
    });
  });

  test.each([
    ['no JSON', 'x'],
    ['no tree', JSON.stringify({ time: whole.time, paths: [] })],
    ['a tree that is no id', JSON.stringify({ time: whole.time, tree: 'abc', paths: [] })],
    ['a time that is none', JSON.stringify({ time: 'yesterday', tree: TREE, paths: [] })],
  ])('with %s is refused by name', (_, json) => {
    expect(() => parseSnapshot(ID, Buffer.from(json))).toThrow(`snapshot ${ID} has an invalid record`);
  });
});
