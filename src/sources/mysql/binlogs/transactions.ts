/** Where transactions begin and end among the events of a log. Pure. */
import { EVENT, isQuery, parseQuery, type BinlogEvent } from './event.ts';
import { beginsTransaction, gtidOf, isStandalone } from './gtid.ts';

/** What an event is to the transaction that it belongs to. */
export interface Step {
  /** It is the first of one. */
  readonly begins: boolean;
  /** It is the last of one, which is whole now. */
  readonly ends: boolean;
  /** Of the transaction; absent outside of one, and where it has none. */
  readonly gtid?: string;
  /** It belongs to one. */
  readonly isInside: boolean;
}

const OUTSIDE: Step = { begins: false, ends: false, isInside: false };
/** They come before the statement that they are for. */
const COMPANIONS: ReadonlySet<number> = new Set([
  ...[EVENT.intvar, EVENT.rand, EVENT.userVar, EVENT.annotateRows, EVENT.rowsQuery, EVENT.ignorable],
  EVENT.beginLoadQuery,
]);
const BEGIN = /^\s*(?:BEGIN|START TRANSACTION|XA (?:START|BEGIN))\b/i;
const END = /^\s*(?:COMMIT|ROLLBACK(?!\s+(?:WORK\s+)?TO\b)|XA (?:COMMIT|ROLLBACK))\b/i;

/** Follows a log from its beginning, or from between two transactions. */
export class Transactions {
  #gtid: string | undefined;
  /** `first`: its first statement is still to come, and may be all of it. */
  #state: 'outside' | 'first' | 'alone' | 'many' = 'outside';

  get isOutside(): boolean {
    return this.#state === 'outside';
  }

  take(event: BinlogEvent): Step {
    if (beginsTransaction(event)) {
      this.#gtid = gtidOf(event);
      this.#state = isStandalone(event) ? 'alone' : event.type === EVENT.gtid ? 'many' : 'first';
      return this.#step(true, false);
    }
    if (this.#state === 'outside') return OUTSIDE;
    if (event.type === EVENT.format || event.type === EVENT.stop || event.type === EVENT.rotate) {
      // The server has ended in the middle: what was begun never happened.
      if (event.type === EVENT.format) this.#state = 'outside';
      return OUTSIDE;
    }
    if (!this.#isLast(event)) return this.#step(false, false);
    const last = this.#step(false, true);
    this.#state = 'outside';
    return last;
  }

  #step(begins: boolean, ends: boolean): Step {
    return { begins, ends, isInside: true, ...(this.#gtid !== undefined && { gtid: this.#gtid }) };
  }

  #isLast(event: BinlogEvent): boolean {
    const { type } = event;
    if (COMPANIONS.has(type)) return false;
    if (type === EVENT.xid || type === EVENT.xaPrepare || type === EVENT.mysqlPayload) return true;
    if (this.#state === 'alone') return true;
    const sql = isQuery(event) ? parseQuery(event).sql : undefined;
    const isFirst = this.#state === 'first';
    this.#state = 'many';
    if (sql === undefined) return false;
    return isFirst ? !BEGIN.test(sql) : END.test(sql);
  }
}
