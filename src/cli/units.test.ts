import { expect, test } from 'vitest';
import { count, formatBytes, formatDuration, formatPercent, formatTime } from './units.ts';

test('sizes are in binary units with three decimals, as restic prints them', () => {
  expect([0, 1023, 1024, 1536, 1024 ** 3 * 2.5, 1024 ** 5].map((bytes) => formatBytes(bytes))).toEqual([
    '0 B',
    '1023 B',
    '1.000 KiB',
    '1.500 KiB',
    '2.500 GiB',
    '1.000 PiB',
  ]);
});

test('durations grow from minutes to hours', () => {
  expect([0, 400, 65_000, 3_723_000].map(formatDuration)).toEqual(['0:00', '0:00', '1:05', '1:02:03']);
});

test('a share of nothing is nothing, and none is above the whole', () => {
  expect([formatPercent(1, 3), formatPercent(0, 0), formatPercent(5, 4)]).toEqual(['33.33%', '0.00%', '100.00%']);
});

test('times are those of this machine, with all digits', () => {
  expect(formatTime(new Date(2025, 0, 31, 7, 5, 9))).toBe('2025-01-31 07:05:09');
});

test('one is singular', () => {
  expect([count(1, 'file'), count(0, 'file'), count(2, 'entry', 'entries'), count(12345, 'file')]).toEqual([
    '1 file',
    '0 files',
    '2 entries',
    '12,345 files',
  ]);
});
