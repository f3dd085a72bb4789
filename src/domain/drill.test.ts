import { describe, expect, test } from 'vitest';
import { judge, recoverySeconds } from './drill.ts';

describe('An assertion', () => {
  const sql = 'SELECT 1';
  test('that asks for nothing must be true', () => {
    expect(judge({ sql }, ['t'])).toEqual({ passed: true, detail: 'true' });
    expect(judge({ sql }, ['f'])).toEqual({ passed: false, detail: 'it is false instead of true' });
    expect(judge({ sql }, ['1']).passed).toBe(false);
  });

  test('compares numbers as numbers, and says what is wrong', () => {
    expect(judge({ sql, atLeast: 10 }, ['9']).detail).toBe('it is 9, and must be at least 10');
    expect(judge({ sql, atLeast: 9, atMost: 100 }, ['10.50']).passed).toBe(true);
    expect(judge({ sql, atMost: 9 }, ['10']).detail).toBe('it is 10, and may be at most 9');
    expect(judge({ sql, equals: 3 }, ['3.0']).passed).toBe(true);
  });

  test('compares text and truth by what they are', () => {
    expect(judge({ sql, equals: 'open' }, ['open']).passed).toBe(true);
    expect(judge({ sql, equals: false }, ['f']).passed).toBe(true);
    expect(judge({ sql, equals: 'open' }, ['closed']).detail).toBe('it is closed instead of open');
  });

  test.each([
    ['NULL', [null]],
    ['no row', []],
    ['several rows', ['t', 't']],
  ])('that gives %s is not fulfilled', (_, values) => {
    expect(judge({ sql }, values).passed).toBe(false);
  });

  test('of a number is not fulfilled by what is none', () => {
    expect(judge({ sql, atLeast: 0 }, ['']).passed).toBe(false);
    expect(judge({ sql, atMost: 5 }, ['many']).passed).toBe(false);
  });
});

test('the time to recover is all but the checks', () => {
  expect(recoverySeconds({ fetch: 2, start: 1, check: 10 })).toBe(3);
  expect(recoverySeconds({ start: 1, load: 4 })).toBe(5);
});
