import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { craftFile, gtid, query, xid } from '../../../../test/fixtures/crafted-log.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { startIn } from './continued.ts';
import type { BinlogFacts } from './facts.ts';
import { BinlogReader } from './reader.ts';
import type { StoredLog } from './remembered.ts';

const FILE = 'bin.000007';
const { bytes } = craftFile([gtid(1), query('shop', 'INSERT 1'), xid(), gtid(2), query('shop', 'INSERT 2'), xid()]);
const events = [...new BinlogReader({ file: FILE, offset: 4 }, 'a test').push(bytes)];
const end = events.at(-1)?.to ?? 0;

const FACTS: BinlogFacts = {
  ...{ format: 1, kind: 'mysql', method: 'binlogs', type: 'incremental', product: 'mariadb', serverVersion: '10.11.6' },
  ...{ tools: { client: '', binlog: '' }, server: 'one', chain: { id: 'a' }, seenAt: '', transactions: 2 },
  from: { file: FILE, offset: 4 },
  to: { file: FILE, offset: end },
  gtids: { before: '', after: '' },
  tail: { file: FILE, from: 0, to: end, sha256: '', closed: false },
  parts: [{ file: FILE, from: 0, to: end, path: 'part', bytes: end, closed: false, transactions: 2 }],
};

const snapshot: ReadableSnapshot = {
  ...{ id: 'x', read: async () => undefined, list: async () => [] },
  stream: async function* () {
    yield await Promise.resolve(bytes);
  },
};

/** What archives hold up to behind an event. */
function storedTo(number: number, more: Partial<StoredLog> = {}): StoredLog {
  const { event, from = 0, to = 0 } = events.at(number) ?? {};
  const sha256 = createHash('sha256')
    .update(event?.bytes ?? '')
    .digest('hex');
  const tail = { file: FILE, from, to, sha256, closed: false };
  return { ...FACTS, to: { file: FILE, offset: to }, tail, ...more };
}

describe('Archives go on in a snapshot', () => {
  it('from where they end, where both are of the same chain', async () => {
    const middle = storedTo(3);
    expect(await startIn(FACTS, middle, snapshot)).toEqual(middle.to);
    expect(await startIn(FACTS, storedTo(-1), snapshot)).toEqual(FACTS.to);
    expect(await startIn(FACTS, { ...middle, chain: { id: 'b' }, snapshots: 'a' }, snapshot)).toEqual(middle.to);
  });

  it('from the file that follows the one that they end with', async () => {
    const tail = { file: 'bin.000006', from: 100, to: 200, sha256: '', closed: true };
    const before = storedTo(0, { to: { file: 'bin.000006', offset: 200 }, tail });
    expect(await startIn(FACTS, before, snapshot)).toEqual(FACTS.from);
    expect(await startIn(FACTS, { ...before, tail: { ...tail, closed: false } }, snapshot)).toBeUndefined();
    expect(await startIn(FACTS, { ...before, to: { file: 'bin.000005', offset: 200 } }, snapshot)).toBeUndefined();
  });

  it('where their last event is in it as it was, whatever the chains are called', async () => {
    const middle = storedTo(3, { chain: { id: 'b' } });
    expect(await startIn(FACTS, middle, snapshot)).toEqual(middle.to);
    const other = { ...middle, tail: { ...middle.tail, sha256: 'another one' } };
    expect(await startIn(FACTS, other, snapshot)).toBeUndefined();
    expect(await startIn(FACTS, { ...middle, tail: { ...middle.tail, from: 5 } }, snapshot)).toBeUndefined();
  });

  it('never behind its end, nor in the log of another server', async () => {
    expect(await startIn(FACTS, storedTo(3, { server: 'two' }), snapshot)).toBeUndefined();
    expect(await startIn(FACTS, storedTo(3, { to: { file: FILE, offset: end + 1 } }), snapshot)).toBeUndefined();
  });
});
