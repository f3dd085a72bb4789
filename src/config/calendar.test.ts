import { expect, it } from 'vitest';
import { parseConfig } from './parse.ts';

const FINE = { source: () => Promise.resolve(undefined), store: () => Promise.resolve(undefined) };

const parsed = (settings: string) =>
  parseConfig(`plans:\n  shop:\n    source: ./shop\n${settings}`, '/etc/r.yaml', FINE);
const planOf = async (settings: string) => (await parsed(settings)).config?.plans.get('shop');
const problemsOf = async (settings: string): Promise<string[]> =>
  ((await parsed(settings)).problems ?? []).map(({ line, path, message }) => `${line} ${path}: ${message}`);

it('a calendar has defaults for what is not given', async () => {
  const usual = { daily: 7, weekly: 4, monthly: 12, yearly: 0, full: 3 };
  expect((await planOf('    calendar: {}\n'))?.calendar).toEqual(usual);
  const own = await planOf('    calendar: { daily: 30, yearly: unlimited, full: 0 }\n');
  expect(own?.calendar).toEqual({ ...usual, daily: 30, yearly: Infinity, full: 0 });
  expect((await planOf(''))?.calendar).toBeUndefined();
});

it('a plan says when it is due, and where its days begin', async () => {
  const plan = await planOf('    schedule: "0 2 * * 1-5"\n    time-zone: America/Lima\n');
  expect(plan).toMatchObject({ schedule: '0 2 * * 1-5', timeZone: 'America/Lima' });
  expect((await planOf('    schedule: "@daily"\n'))?.schedule).toBe('@daily');
});

it.each([
  ['calendar: {}\n    keep: { daily: 7 }', /^4 plans.shop.calendar: a plan has keep or calendar, not both/],
  ['calendar: { dayly: 7 }', /dayly: unknown key, did you mean daily\?$/],
  ['calendar: { daily: -1 }', /must be 0 or more/],
  ['calendar: { daily: 0, weekly: 0, monthly: 0, full: 0 }', /must keep something, such as daily: 7/],
  ['time-zone: Europe/Atlantis', /there is no such time zone/],
  ['schedule: every day', /must be minute, hour, day, month and weekday/],
  ['schedule: "0 0 2 * * *"', /must be minute, hour, day, month and weekday/],
  ['schedule: "0 0 30 2 *"', /"0 0 30 2 \*" is never due/],
  ['schedule: "2030-01-01T00:00:00"', /must be minute, hour, day, month and weekday/],
])('refuses %s', async (settings, message) => {
  expect(await problemsOf(`    ${settings}\n`)).toEqual([expect.stringMatching(message)]);
});
