import { expect, it } from 'vitest';
import { environmentOf, factsOf, filled, unknownFacts, type RunSoFar } from './run-facts.ts';

const run: RunSoFar = {
  plan: 'shop',
  run: '0-1-2',
  host: 'db1',
  startedAt: new Date('2025-01-31T02:00:00Z'),
  state: 'incomplete',
  destinations: ['/srv/main', 's3:host/bucket'],
  snapshots: ['aa', 'bb'],
  bytesProcessed: 1500,
  bytesAdded: 20,
  error: { code: 'hook-failed', message: 'it "broke"' },
};
const facts = factsOf(run, 'finally', new Date('2025-01-31T02:01:05Z'));

it('are variables for programs, all of them always set', () => {
  expect(environmentOf(facts)).toEqual({
    RESPALDO_PLAN: 'shop',
    RESPALDO_RUN: '0-1-2',
    RESPALDO_HOST: 'db1',
    RESPALDO_STAGE: 'finally',
    RESPALDO_STATUS: 'incomplete',
    RESPALDO_STARTED: '2025-01-31T02:00:00.000Z',
    RESPALDO_SECONDS: '65',
    RESPALDO_DESTINATIONS: '/srv/main\ns3:host/bucket',
    RESPALDO_SNAPSHOT: 'bb',
    RESPALDO_SNAPSHOTS: 'aa bb',
    RESPALDO_BYTES_PROCESSED: '1500',
    RESPALDO_BYTES_ADDED: '20',
    RESPALDO_ERROR_CODE: 'hook-failed',
    RESPALDO_ERROR: 'it "broke"',
  });
});

it('stand in templates, written as their place wants them', () => {
  expect(filled('{plan}: {status} {nobody} {}', facts)).toBe('shop: incomplete {nobody} {}');
  expect(filled('?e={error}', facts, encodeURIComponent)).toBe('?e=it%20%22broke%22');
});

it('are told from names that mean nothing', () => {
  expect(unknownFacts('{plan} {error-code} {databse} {"json": 1} { plan }')).toEqual(['databse']);
});

it('never end a variable early', () => {
  const odd = factsOf({ ...run, error: { code: 'internal', message: 'a\0b' } }, 'finally', new Date(0));
  expect(environmentOf(odd).RESPALDO_ERROR).toBe('ab');
});
