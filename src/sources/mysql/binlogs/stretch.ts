/** What is learned of a stretch of the log while its events pass: its facts, in the end. */
import { createHash } from 'node:crypto';
import { EVENT, FIRST } from './event.ts';
import type { BinlogFacts, PartFacts } from './facts.ts';
import { beginsTransaction, GtidState } from './gtid.ts';
import type { LogPosition, PlacedEvent } from './reader.ts';
import { Transactions } from './transactions.ts';

/** A part that grows. */
interface OpenPart {
  file: string;
  from: number;
  to: number;
  bytes: number;
  closed: boolean;
  transactions: number;
  first?: number;
  last?: number;
}

export type StretchFacts = Pick<
  BinlogFacts,
  'from' | 'to' | 'firstTime' | 'lastTime' | 'transactions' | 'gtids' | 'tail' | 'formatEvent' | 'parts'
>;

/** The names of events that are about the file, and not about what happened on the server. */
const ABOUT_FILES: ReadonlySet<number> = new Set([
  ...[EVENT.format, EVENT.rotate, EVENT.stop, EVENT.gtidList, EVENT.mysqlPreviousGtids, EVENT.checkpoint],
]);

export class Stretch {
  readonly #from: LogPosition;
  #to: LogPosition;
  readonly #before: string;
  readonly #gtids: GtidState;
  /** Nobody knows yet what was before: the list at the beginning of the first file tells. */
  #isNew: boolean;
  #firstState: string;
  readonly #transactions: Transactions;
  readonly #parts: OpenPart[] = [];
  #formatEvent: string | undefined;
  #tail: BinlogFacts['tail'];
  /** Whose hash the tail tells. Hashing all of them would take longer than all else. */
  #last: Buffer | undefined;

  /**
   * @param before what is known of the place where it begins; absent: it begins with a file, and a chain
   * @param transactions as they stand there: a stretch may begin in the middle of one
   */
  constructor(
    from: LogPosition,
    before: Pick<BinlogFacts, 'gtids' | 'tail'> | undefined,
    transactions = new Transactions(),
  ) {
    this.#from = from;
    this.#to = from;
    this.#before = before?.gtids.after ?? '';
    this.#gtids = GtidState.parse(this.#before);
    this.#isNew = before === undefined;
    this.#firstState = this.#before;
    this.#transactions = transactions;
    this.#tail = before?.tail ?? { file: from.file, from: from.offset, to: from.offset, sha256: '', closed: false };
  }

  get to(): LogPosition {
    return this.#to;
  }

  get transactions(): Transactions {
    return this.#transactions;
  }

  /** Of all parts. */
  get bytes(): number {
    return this.#parts.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** @returns whether the event is the first of another file, or of the stretch */
  add(placed: PlacedEvent): boolean {
    const { event, file, from, to } = placed;
    const begins = this.#parts.at(-1)?.file !== file;
    if (this.isEmpty && from > FIRST) this.#formatEvent = placed.format.toString('base64');
    if (begins) this.#begin(file, from);
    const part = this.#parts.at(-1);
    if (part === undefined) return begins;
    part.to = to;
    part.bytes += event.bytes.length;
    this.#count(placed, part);
    const closed = event.type === EVENT.rotate || event.type === EVENT.stop;
    part.closed = closed;
    this.#to = { file, offset: to };
    this.#last = event.bytes;
    this.#tail = { file, from, to, sha256: '', closed };
    return begins;
  }

  facts(): StretchFacts {
    const firsts = this.#parts.flatMap(({ first }) => (first === undefined ? [] : [first]));
    const lasts = this.#parts.flatMap(({ last }) => (last === undefined ? [] : [last]));
    return {
      from: this.#from,
      to: this.#to,
      ...(firsts.length > 0 && { firstTime: isoTime(Math.min(...firsts)) }),
      ...(lasts.length > 0 && { lastTime: isoTime(Math.max(...lasts)) }),
      transactions: this.#parts.reduce((sum, { transactions }) => sum + transactions, 0),
      gtids: { before: this.#firstState, after: this.#gtids.text },
      tail: this.#last === undefined ? this.#tail : { ...this.#tail, sha256: sha256(this.#last) },
      ...(this.#formatEvent !== undefined && { formatEvent: this.#formatEvent }),
      parts: this.#parts.map(partFacts),
    };
  }

  #begin(file: string, from: number): void {
    const before = this.#parts.at(-1);
    // Whatever it ended with: the server goes on in another file.
    if (before !== undefined) before.closed = true;
    const start = from === FIRST ? 0 : from;
    this.#parts.push({ file, from: start, to: from, bytes: from - start, closed: false, transactions: 0 });
  }

  #count({ event }: PlacedEvent, part: OpenPart): void {
    const step = this.#transactions.take(event);
    if (beginsTransaction(event)) part.transactions += 1;
    this.#gtids.add(event);
    if (this.#isNew && (event.type === EVENT.gtidList || event.type === EVENT.mysqlPreviousGtids)) {
      this.#firstState = this.#gtids.text;
      this.#isNew = false;
    }
    if (!step.isInside && ABOUT_FILES.has(event.type)) return;
    part.first = Math.min(part.first ?? event.timestamp, event.timestamp);
    part.last = Math.max(part.last ?? event.timestamp, event.timestamp);
  }
}

/** `/binlogs/my-bin.000012`; what continues a file sorts behind its beginning: `/binlogs/my-bin.000012.at-000000000718`. */
export function partPath(file: string, from: number): string {
  return from <= FIRST ? `/binlogs/${file}` : `/binlogs/${file}.at-${String(from).padStart(12, '0')}`;
}

function partFacts({ file, from, to, bytes, closed, transactions, first, last }: OpenPart): PartFacts {
  return {
    file,
    from,
    to,
    path: partPath(file, from),
    bytes,
    closed,
    transactions,
    ...(first !== undefined && { firstTime: isoTime(first) }),
    ...(last !== undefined && { lastTime: isoTime(last) }),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
