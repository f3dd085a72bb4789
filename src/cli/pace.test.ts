import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

function clockAt(): { now: () => Date; monotonic: () => number; ms: number } {
  const clock = { ms: 0, now: () => new Date(0), monotonic: () => clock.ms };
  return clock;
}

test('the rate is that of the last seconds, and the rest is estimated from it', () => {
  const clock = clockAt();
  const pace = new Pace(clock);
  for (let second = 1; second <= 60; second++) {
    clock.ms = second * 1000;
    // 100 bytes a second at first, 10 a second from the 30th on.
    pace.observe(second <= 30 ? second * 100 : 3000 + (second - 30) * 10, 4000);
  }
  expect(pace.rate()).toBeCloseTo(10, 5);
  expect(pace.remaining()).toBeCloseTo(70_000, 0);
});

test('nothing is guessed at the beginning, without a total, or past it', () => {
  const clock = clockAt();
  const pace = new Pace(clock);
  expect(pace.remaining()).toBeUndefined();
  pace.observe(0, 100);
  expect(pace.rate()).toBe(0);
  clock.ms = 1000;
  pace.observe(10, 100);
  expect(pace.rate()).toBe(10);
  expect(pace.remaining()).toBeUndefined();
  clock.ms = 3000;
  pace.observe(30, 0);
  expect(pace.remaining()).toBeUndefined();
  pace.observe(30, 20);
  expect(pace.remaining()).toBeUndefined();
});
