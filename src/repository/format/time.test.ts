import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

const SECOND = 1_000_000_000n;

/** The module with another local zone: it remembers offsets, so each zone needs its own copy. */
async function inZone(zone: string) {
  vi.stubEnv('TZ', zone);
  vi.resetModules();
  return import('./time.ts');
}

afterEach(() => vi.unstubAllEnvs());

describe('formatting a time', () => {
  it.each([
    ['UTC', 0n, '1970-01-01T00:00:00Z'],
    ['UTC', 1n, '1970-01-01T00:00:00.000000001Z'],
    ['UTC', -1n, '1969-12-31T23:59:59.999999999Z'],
    ['UTC', 120_000_000n, '1970-01-01T00:00:00.12Z'],
    ['UTC', 951_826_154n * SECOND, '2000-02-29T12:09:14Z'],
    ['Europe/Madrid', 1_700_000_000n * SECOND, '2023-11-14T23:13:20+01:00'],
    ['Europe/Madrid', 1_690_000_000n * SECOND + 5_000n, '2023-07-22T06:26:40.000005+02:00'],
    // The hour in which summer ends, and the one that it repeats.
    ['Europe/Madrid', 1_698_539_400n * SECOND, '2023-10-29T02:30:00+02:00'],
    ['Europe/Madrid', 1_698_543_000n * SECOND, '2023-10-29T02:30:00+01:00'],
    ['Asia/Kathmandu', 1_700_000_000n * SECOND, '2023-11-15T03:58:20+05:45'],
    ['America/St_Johns', 1_700_000_000n * SECOND, '2023-11-14T18:43:20-03:30'],
    ['Pacific/Kiritimati', 1_700_000_000n * SECOND, '2023-11-15T12:13:20+14:00'],
    ['UTC', 253_402_300_799n * SECOND, '9999-12-31T23:59:59Z'],
    ['UTC', 253_402_300_800n * SECOND, '9999-01-01T00:00:00Z'],
    ['UTC', -62_135_596_800n * SECOND, '0001-01-01T00:00:00Z'],
    ['UTC', -62_167_219_200n * SECOND, '0000-01-01T00:00:00Z'],
  ])('writes, in %s, %s ns as %s', async (zone, ns, text) => {
    const { formatTime } = await inZone(zone);
    expect(formatTime(ns)).toBe(text);
  });

  it.each(['UTC', 'Europe/Madrid', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Monrovia'])(
    'keeps the instant, to the nanosecond, in %s',
    async (zone) => {
      const { formatTime, parseTime } = await inZone(zone);
      const anyTime = fc.bigInt({ min: -62_000_000_000n * SECOND, max: 253_000_000_000n * SECOND });
      fc.assert(
        fc.property(anyTime, (ns) => parseTime(formatTime(ns)) === ns),
        { numRuns: 3000 },
      );
    },
  );

  it('stays within the years that can be written, whatever a file system says', async () => {
    const { formatTime, isTime } = await inZone('Europe/Madrid');
    fc.assert(fc.property(fc.bigInt({ min: -(1n << 95n), max: 1n << 95n }), (ns) => isTime(formatTime(ns))));
  });
});

describe('reading a time', () => {
  it.each([
    ['1970-01-01T01:00:00+01:00', 0n],
    ['1969-12-31T19:00:00-05:00', 0n],
    ['2023-11-14T22:13:20.5Z', 1_700_000_000n * SECOND + SECOND / 2n],
    ['2023-11-14T22:13:20.1234567891234Z', 1_700_000_000n * SECOND + 123_456_789n],
    ['0001-01-01T00:00:00Z', -62_135_596_800n * SECOND],
    ['1600-02-29T00:00:00Z', -11_670_998_400n * SECOND],
  ])('reads %s', async (text, ns) => {
    const { parseTime } = await inZone('UTC');
    expect(parseTime(text)).toBe(ns);
  });

  it.each([
    '',
    'yesterday',
    '2023-11-14',
    '2023-13-14T00:00:00Z',
    '2023-11-14T24:00:00Z',
    '2023-11-14T22:13:20',
    '2023-11-14T22:13:20Z"',
  ])('refuses %j', async (text) => {
    const { parseTime, isTime } = await inZone('UTC');
    expect(isTime(text)).toBe(false);
    expect(() => parseTime(text)).toThrow(RangeError);
  });
});
