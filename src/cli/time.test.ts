import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { parseSpan, parseTime } from './time.ts';

describe('A time on the command line', () => {
  it.each([
    ['2025-01-31', new Date(2025, 0, 31)],
    ['2024-02-29 23:59:59', new Date(2024, 1, 29, 23, 59, 59)],
    ['2025-01-31 07:05', new Date(2025, 0, 31, 7, 5)],
    ['2025-01-31 07:05:09', new Date(2025, 0, 31, 7, 5, 9)],
    ['2025-01-31T07:05:09', new Date(2025, 0, 31, 7, 5, 9)],
    ['2025-01-31 07:05:09 +0200', new Date(Date.UTC(2025, 0, 31, 5, 5, 9))],
    ['2025-01-31T07:05:09.5Z', new Date(Date.UTC(2025, 0, 31, 7, 5, 9, 500))],
  ])('%s is understood', (text, time) => {
    expect(parseTime(text)).toEqual(time);
  });

  it.each([
    'yesterday',
    '2025-13-01',
    '2025-02-29',
    '2025-04-31 12:00',
    '2025-01-31 25:00',
    '31.01.2025',
    '2025-01-31 7',
    '',
  ])('"%s" is refused', (text) => {
    expect(() => parseTime(text)).toThrow(InvalidArgumentError);
  });
});

describe('A span of time', () => {
  it.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2h', 7_200_000],
  ])('%s is understood', (text, milliseconds) => {
    expect(parseSpan(text)).toBe(milliseconds);
  });

  it.each(['', '5', '5 m', '-5m', 'm', '1d', '30m1h'])('"%s" is refused', (text) => {
    expect(() => parseSpan(text)).toThrow(InvalidArgumentError);
  });
});
