import { describe, expect, it } from 'vitest';
import { GtidState, isWithin } from './gtid.ts';

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

describe('A state of GTIDs', () => {
  it('is written as it was read, ranges that touch as one', () => {
    for (const text of ['', '0-1-42', '0-1-42,3-7-1', `${UUID}:1-5`, `${UUID}:1-5:9`])
      expect(GtidState.parse(text).text).toBe(text);
    expect(GtidState.parse(`${UUID}:1-5:9:6-8`).text).toBe(`${UUID}:1-9`);
  });

  it('holds another one if no transaction of that is missing', () => {
    const within = (one: string, other: string): boolean => isWithin(GtidState.parse(one), GtidState.parse(other));
    expect(within('0-1-4', '0-1-5')).toBe(true);
    expect(within('0-1-6', '0-1-5')).toBe(false);
    expect(within('0-1-4,1-1-1', '0-1-5')).toBe(false);
    expect(within(`${UUID}:2-3`, `${UUID}:1-5`)).toBe(true);
    expect(within(`${UUID}:4-6`, `${UUID}:1-5`)).toBe(false);
    expect(GtidState.parse('0-1-5').has('0-1-5')).toBe(true);
  });
});
