import { expect, test } from 'vitest';
import { drillSchema, toDrillSettings } from './drill.ts';

const settings = (given: unknown) => toDrillSettings(drillSchema.parse(given), '/etc/respaldo', (text) => text);

test('a drill asserts nothing, and waits five minutes, where it is not told', () => {
  expect(settings({})).toEqual({ assertions: [], timeoutSeconds: 300 });
});

test('assertions are SQL, or SQL with what its value must be', () => {
  const assertions = ['SELECT true', { sql: 'SELECT 1', database: 'shop', equals: 1, 'at-least': 0, 'at-most': 2 }];
  expect(settings({ assertions, timeout: '1h30m5s', folder: '../drills', image: 'postgres:17' })).toEqual({
    assertions: [{ sql: 'SELECT true' }, { sql: 'SELECT 1', database: 'shop', equals: 1, atLeast: 0, atMost: 2 }],
    timeoutSeconds: 5405,
    folder: '/etc/drills',
    image: 'postgres:17',
  });
});

test.each([{ timeout: 'soon' }, { timeout: '0s' }, { assertions: [{ database: 'shop' }] }, { images: ['postgres'] }])(
  'what makes no sense is refused: %j',
  (given) => {
    expect(drillSchema.safeParse(given).success).toBe(false);
  },
);
