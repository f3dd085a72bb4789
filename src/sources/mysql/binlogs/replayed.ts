/** Chooses of a log's events those that are replayed. Pure. */
import {
  endsStatement,
  EVENT,
  isQuery,
  isRows,
  parseQuery,
  parseTableMap,
  tableOfRows,
  withStatementEnd,
  type BinlogEvent,
} from './event.ts';
import type { PlacedEvent } from './reader.ts';
import { bindsOldName, fateOf, foreignOf, isInScope, type Scope } from './scope.ts';
import type { Step } from './transactions.ts';

/** What is left out of a log, in numbers of statements. */
export interface LeftOut {
  /** About who may log in. */
  accounts: number;
  /** Of databases that are not restored. */
  others: number;
}

/** For the server that wrote them, or of no consequence. */
const NEVER: ReadonlySet<number> = new Set([
  ...[EVENT.stop, EVENT.rotate, EVENT.checkpoint, EVENT.gtidList, EVENT.mysqlPreviousGtids, EVENT.startEncryption],
]);
const BEFORE_STATEMENT: ReadonlySet<number> = new Set([
  ...[
    EVENT.intvar,
    EVENT.rand,
    EVENT.userVar,
    EVENT.annotateRows,
    EVENT.rowsQuery,
    EVENT.ignorable,
    EVENT.beginLoadQuery,
  ],
]);

/** One transaction after the other. What precedes a statement waits until it is known whether that is replayed. */
export class Replayed {
  readonly #scope: Scope;
  readonly leftOut: LeftOut = { accounts: 0, others: 0 };
  /** Foreign databases that would be changed. */
  readonly touched = new Set<string>();
  /** The first statement that cannot be replayed under another name; undefined: there is none. */
  bound: string | undefined;
  /** The beginning of the transaction, as long as nothing of it is replayed. */
  #head: BinlogEvent[] = [];
  /** What precedes the statement. */
  #companions: BinlogEvent[] = [];
  /** The last rows that are replayed: it may turn out that they end their statement. */
  #rows: BinlogEvent | undefined;
  readonly #tables = new Map<number, boolean>();
  #isReplaying = false;
  /** Of the distributed transaction that is being read. */
  #xid: string | undefined;
  /** Distributed transactions that were replayed, and wait for their end. */
  readonly #prepared = new Set<string>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** @returns what is to be replayed now */
  take({ event, isChecksummed }: PlacedEvent, step: Step): BinlogEvent[] {
    if (event.type === EVENT.format) return [...this.#flushRows(), event];
    if (NEVER.has(event.type) || !step.isInside) return [];
    if (step.begins) {
      this.#reset();
      this.#head = [event];
      return [];
    }
    if (isRows(event)) return this.#takeRows(event, isChecksummed);
    return [...this.#flushRows(), ...this.#takeOther(event, step)];
  }

  #takeOther(event: BinlogEvent, step: Step): BinlogEvent[] {
    if (event.type === EVENT.tableMap) {
      const { id, database } = parseTableMap(event);
      const isOurs = isInScope(this.#scope, database);
      if (isOurs) this.#touch(database, '');
      this.#tables.set(id, isOurs);
      if (isOurs) this.#companions.push(event);
      return [];
    }
    if (BEFORE_STATEMENT.has(event.type)) {
      this.#companions.push(event);
      return [];
    }
    return this.#isKept(event, step) ? this.#release(event) : this.#drop(event, step);
  }

  #isKept(event: BinlogEvent, step: Step): boolean {
    if (event.type === EVENT.xaPrepare && this.#isReplaying && this.#xid !== undefined) this.#prepared.add(this.#xid);
    if (isQuery(event)) {
      const query = parseQuery(event);
      const [, verb, xid] = XA.exec(query.sql) ?? [];
      if (xid !== undefined && /COMMIT|ROLLBACK/i.test(verb ?? '') && !this.#isReplaying)
        return this.#prepared.delete(xid);
      this.#xid = xid ?? this.#xid;
      const fate = fateOf(this.#scope, query);
      if (fate === 'accounts') this.leftOut.accounts += 1;
      if (fate === 'drop') this.leftOut.others += 1;
      if (fate === 'keep') this.#touch(query.database, query.sql);
      if (fate === 'keep' && bindsOldName(this.#scope, query)) this.bound ??= query.sql;
      // A transaction ends only where it has begun; within one, a savepoint may be returned to.
      return fate === 'keep' || (fate === 'control' && (this.#isReplaying || !isFrame(event, step)));
    }
    return step.ends && event.type !== EVENT.mysqlPayload ? this.#isReplaying : this.#scope.isWhole;
  }

  /** Rows of a table end their statement where the last of ours does. */
  #takeRows(event: BinlogEvent, isChecksummed: boolean): BinlogEvent[] {
    const isOurs = this.#tables.get(tableOfRows(event)) === true;
    const before = this.#rows;
    this.#rows = undefined;
    if (isOurs) {
      const released = [...(before ? [before] : []), ...this.#release(event)];
      this.#rows = released.pop();
      return released;
    }
    const ends = endsStatement(event);
    if (ends) {
      this.#companions = [];
      this.leftOut.others += before === undefined ? 1 : 0;
    }
    if (before === undefined) return [];
    if (ends) return [withStatementEnd(before, isChecksummed)];
    this.#rows = before;
    return [];
  }

  #release(event: BinlogEvent): BinlogEvent[] {
    const released = [...this.#head, ...this.#companions, event];
    this.#head = [];
    this.#companions = [];
    this.#isReplaying = true;
    return released;
  }

  /** What begins a transaction waits for what follows; anything else is left out. */
  #drop(event: BinlogEvent, step: Step): BinlogEvent[] {
    if (isFrame(event, step) && !step.ends) this.#head.push(event);
    this.#companions = [];
    return [];
  }

  #touch(database: string, sql: string): void {
    for (const name of foreignOf(this.#scope, { database, sql })) this.touched.add(name);
  }

  #flushRows(): BinlogEvent[] {
    const rows = this.#rows;
    this.#rows = undefined;
    return rows === undefined ? [] : [rows];
  }

  #reset(): void {
    this.#head = [];
    this.#companions = [];
    this.#tables.clear();
    this.#isReplaying = false;
    this.#xid = undefined;
  }
}

const XA = /^\s*XA\s+(START|BEGIN|END|COMMIT|ROLLBACK)\s+(.*?)\s*$/is;

/** Whether the statement only begins or ends the transaction. */
function isFrame(event: BinlogEvent, step: Step): boolean {
  return step.ends || (isQuery(event) && /^\s*(?:BEGIN|START|XA (?:START|BEGIN))/i.test(parseQuery(event).sql));
}
