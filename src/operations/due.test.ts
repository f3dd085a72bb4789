import { expect, it } from 'vitest';
import type { RunOutcome, RunRecord } from '../catalog/catalog.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { dueness, lastRunOf } from './due.ts';

const nightly = { schedule: '0 2 * * *', timeZone: 'UTC' };
const at = (text: string): Date => new Date(`2025-01-${text}:00Z`);

it.each([
  ['in the same night', at('31T02:00'), at('31T23:59'), false],
  ['when the next night has come', at('31T02:00'), new Date('2025-02-01T02:00:00Z'), true],
  ['after a run by hand in the afternoon, at night', at('30T15:00'), at('31T02:01'), true],
])('%s: due %#', (_, last, now, due) => {
  expect(dueness(nightly, { storedAt: last }, now)).toMatchObject({ due });
});

it('is not while another process is about it, with a schedule and without', () => {
  for (const plan of [nightly, {}])
    expect(dueness(plan, { isRunning: true }, at('30T12:00'))).toEqual({ due: false, isRunning: true });
});

it('says when it is due next', () => {
  expect(dueness(nightly, { storedAt: at('30T02:00') }, at('30T12:00'))).toEqual({ due: false, next: at('31T02:00') });
});

it('is at once after a run that stored nothing, and where there is no schedule', () => {
  expect(dueness(nightly, { ended: 'failed' }, at('30T12:00')).due).toBe(true);
  expect(dueness(nightly, { ended: 'not at all' }, at('30T12:00')).due).toBe(true);
  expect(dueness(nightly, undefined, at('30T12:00')).due).toBe(true);
  expect(dueness({}, { storedAt: at('30T12:00') }, at('30T12:00')).due).toBe(true);
});

const record = (startedAt: Date, state?: RunOutcome['state'], repository = '/srv/main', owner = 'dead'): RunRecord => ({
  ...{ id: 1, operation: 'backup', subject: 'shop', repository, startedAt, owner },
  ...(state && { outcome: { state, finishedAt: startedAt } }),
});
const snapshot = (time: string): Snapshot =>
  ({ id: 'aa', time, hostname: 'db1', paths: ['/x'], tags: ['plan=shop'] }) as unknown as Snapshot;

function last(runs: readonly RunRecord[], snapshots: readonly Snapshot[] = []) {
  const ports = {
    catalog: { runs: async () => runs },
    isProcessRunning: async (owner: string) => owner === 'alive',
    openRepository: async () => ({ snapshots: async () => snapshots }),
  };
  return lastRunOf({ plan: 'shop', host: 'db1', location: '/srv/main' }, ports, new AbortController().signal);
}

it('goes by the latest run that this machine remembers of the repository', async () => {
  expect(await last([record(at('30T02:00'), 'incomplete'), record(at('29T02:00'), 'failed')])).toEqual({
    storedAt: at('30T02:00'),
  });
  expect(await last([record(at('30T02:00'), 'cancelled'), record(at('29T02:00'), 'succeeded')])).toEqual({
    ended: 'cancelled',
  });
  expect(await last([record(at('30T02:00'))])).toEqual({ ended: 'not at all' });
  expect(await last([record(at('30T02:00'), undefined, '/srv/main', 'alive')])).toEqual({ isRunning: true });
});

it('asks the repository where the machine remembers nothing of it', async () => {
  const taken = [snapshot('2025-01-30T02:00:00Z'), snapshot('2025-01-28T02:00:00Z')];
  expect(await last([record(at('31T02:00'), 'succeeded', '/elsewhere')], taken)).toEqual({ storedAt: at('30T02:00') });
  expect(await last([])).toBeUndefined();
});
