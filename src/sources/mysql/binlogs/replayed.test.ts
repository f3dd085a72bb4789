import { describe, expect, it } from 'vitest';
import { craftFile, gtid, query, rows, tableMap, xid, type Crafted } from '../../../../test/fixtures/crafted-log.ts';
import { endsStatement, isQuery, isRows, parseQuery, type BinlogEvent } from './event.ts';
import { BinlogReader } from './reader.ts';
import { Replayed, type LeftOut } from './replayed.ts';
import type { Scope } from './scope.ts';
import { Transactions } from './transactions.ts';

const SHOP: Scope = { isWhole: false, names: ['shop'], except: [] };
const ALL: Scope = { isWhole: true, names: ['shop'], except: ['tmp*'] };

function replay(scope: Scope, events: readonly Crafted[]): { told: string[]; leftOut: LeftOut } {
  const reader = new BinlogReader({ file: 'bin.000001', offset: 4 }, 'a test');
  const [transactions, chosen] = [new Transactions(), new Replayed(scope)];
  const kept = [...reader.push(craftFile(events).bytes)].flatMap((placed) =>
    chosen.take(placed, transactions.take(placed.event)),
  );
  return { told: kept.slice(1).map(tell), leftOut: chosen.leftOut };
}

function tell(event: BinlogEvent): string {
  if (isQuery(event)) return parseQuery(event).sql;
  if (isRows(event)) return endsStatement(event) ? 'last rows' : 'rows';
  return { 162: 'begin', 16: 'commit', 19: 'map' }[event.type] ?? String(event.type);
}

describe('What is replayed of a log', () => {
  it('is everything of the databases that are restored, and nothing of others, not even an empty transaction', () => {
    const events = [
      ...[gtid(1), query('shop', 'INSERT 1'), xid()],
      ...[gtid(2), query('blog', 'INSERT 2'), xid()],
      ...[gtid(3, { alone: true }), query('blog', 'DROP TABLE posts')],
      ...[gtid(4, { alone: true }), query('shop', 'ALTER TABLE t')],
    ];
    expect(replay(SHOP, events)).toEqual({
      told: ['begin', 'INSERT 1', 'commit', 'begin', 'ALTER TABLE t'],
      leftOut: { accounts: 0, others: 2 },
    });
    expect(replay(ALL, events).told).toHaveLength(10);
  });

  it('is each of our rows where a statement changes tables of several databases, which ends with the last of ours', () => {
    const events = [
      ...[gtid(1), tableMap(5, 'shop', 'a'), tableMap(6, 'blog', 'b'), tableMap(7, 'shop', 'c')],
      ...[
        rows(5, false),
        rows(6, false),
        rows(7, false),
        rows(6, true),
        tableMap(6, 'blog', 'b'),
        rows(6, true),
        xid(),
      ],
    ];
    expect(replay(SHOP, events).told).toEqual(['begin', 'map', 'map', 'rows', 'last rows', 'commit']);
  });

  it('is also what was said in another database, or in none, and names ours', () => {
    const said = (database: string, sql: string): string[] =>
      replay(SHOP, [gtid(1, { alone: true }), query(database, sql)]).told;
    expect(said('blog', 'DROP TABLE `shop`.`t`')).toHaveLength(2);
    expect(said('', 'CREATE TABLE Shop.t (i INT)')).toHaveLength(2);
    expect(said('blog', 'CREATE TABLE workshop (i INT)')).toEqual([]);
  });

  it('is all but what was left out of the base, where that was all of the server', () => {
    const said = (database: string): string[] =>
      replay(ALL, [gtid(1, { alone: true }), query(database, 'CREATE TABLE t (i INT)')]).told;
    expect(said('new')).toHaveLength(2);
    expect(said('tmp1')).toEqual([]);
    expect(said('mysql')).toEqual([]);
  });

  it('leaves accounts out, and counts them; keeps savepoints where something is undone by them', () => {
    const { told, leftOut } = replay(SHOP, [
      ...[gtid(1, { alone: true }), query('shop', 'CREATE USER a')],
      ...[gtid(2, { alone: true }), query('shop', 'GRANT ALL ON shop.* TO a')],
      ...[gtid(3), query('shop', 'SAVEPOINT s'), query('shop', 'INSERT'), query('shop', 'ROLLBACK TO s'), xid()],
    ]);
    expect(told).toEqual(['begin', 'SAVEPOINT s', 'INSERT', 'ROLLBACK TO s', 'commit']);
    expect(leftOut).toEqual({ accounts: 2, others: 0 });
  });

  it('tells which databases it would change that are not restored', () => {
    const chosen = new Replayed({ ...SHOP, foreign: ['blog', 'mail'] });
    const transactions = new Transactions();
    const reader = new BinlogReader({ file: 'bin.000001', offset: 4 }, 'a test');
    const events = [
      gtid(1),
      query('shop', 'INSERT INTO `blog`.t VALUES (1)'),
      query('mail', 'INSERT INTO t VALUES (1)'),
      xid(),
    ];
    for (const placed of reader.push(craftFile(events).bytes)) chosen.take(placed, transactions.take(placed.event));
    expect([...chosen.touched]).toEqual(['blog']);
  });

  it('ends a distributed transaction only where it was begun', () => {
    const end = (sql: string): readonly Crafted[] => [gtid(9), query('', sql)];
    const ours = [gtid(1), query('shop', 'INSERT'), query('shop', 'XA END 1'), { type: 38, body: Buffer.alloc(8) }];
    expect(replay(SHOP, [...ours, ...end('XA COMMIT 1'), ...end('XA COMMIT 2')]).told).toEqual([
      ...['begin', 'INSERT', 'XA END 1', '38', 'begin', 'XA COMMIT 1'],
    ]);
  });
});
