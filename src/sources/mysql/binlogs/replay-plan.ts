/** What a replay would do, found by reading all of the log that it takes. */
import { throwIfAborted } from '../../../errors.ts';
import type { PlannedReplay } from '../../source.ts';
import { EVENT, FIRST, isQuery, parseQuery, type BinlogEvent } from './event.ts';
import type { BinlogFacts } from './facts.ts';
import { GtidState, gtidOf, isWithin } from './gtid.ts';
import { storedEvents, type LogHolder } from './log-reader.ts';
import { isReached, momentName, type Moment } from './moment.ts';
import type { LogPosition, PlacedEvent } from './reader.ts';
import { Replayed } from './replayed.ts';
import type { Scope } from './scope.ts';
import { Transactions } from './transactions.ts';
import { compare, walksFrom, type StoredStretch, type Walk } from './walk.ts';

/** What a snapshot says of its place in the log. */
export interface ReplayBase {
  readonly position?: { readonly file?: string; readonly offset?: number; readonly gtid?: string };
  readonly product: BinlogFacts['product'];
  readonly scope: Scope;
}

/** How to carry it out. */
export interface Replay {
  readonly shown: PlannedReplay;
  readonly walk: Walk<LogHolder>;
  readonly from: LogPosition;
  /** Behind the last transaction that is replayed. */
  readonly to: LogPosition;
  readonly scope: Scope;
  readonly lastGtid?: string;
}

/** @returns why it cannot be done: a sentence each, with what to do */
export async function planReplay(
  base: ReplayBase,
  moment: Moment,
  stored: readonly StoredStretch<LogHolder>[],
  signal: AbortSignal,
): Promise<Replay | readonly string[]> {
  const { file, offset } = base.position ?? {};
  if (file === undefined || offset === undefined)
    return [
      'The snapshot does not tell its position in the binary log: the server kept none then, or the account might not know it (BINLOG MONITOR, REPLICATION CLIENT).',
    ];
  const from = { file, offset };
  const plans = [];
  for (const walk of walksFrom(from, stored)) plans.push(await planWalk(walk, from, base, moment, signal));
  const possible = plans.filter(({ isSameLog }) => isSameLog);
  const [best] = possible.length > 0 ? possible : plans;
  if (best === undefined) return [noWay(from, stored)];
  const isUnclear = possible.length > 1 && base.position?.gtid === undefined;
  const obstacles = [...best.obstacles, ...(isUnclear ? [UNCLEAR] : [])];
  return obstacles.length > 0 ? obstacles : best.replay;
}

const UNCLEAR =
  'Several stored logs have that place, because the server began its log anew, and the snapshot tells no GTID by which it could be known whose it is: take another base.';

async function planWalk(
  walk: Walk<LogHolder>,
  from: LogPosition,
  { position, scope }: ReplayBase,
  moment: Moment,
  signal: AbortSignal,
): Promise<{ readonly obstacles: readonly string[]; readonly isSameLog: boolean; readonly replay: Replay }> {
  const tour = new Tour(from, moment, scope, walk);
  for await (const placed of storedEvents(walk)) {
    throwIfAborted(signal);
    if (!tour.take(placed)) break;
  }
  const alien = tour.alien(position?.gtid);
  return {
    obstacles: [...alien, ...tour.obstacles(), ...beyond(moment, tour, walk)],
    isSameLog: alien.length === 0,
    replay: { ...tour.replay(walk), walk, from, scope },
  };
}

function noWay({ file, offset }: LogPosition, stored: readonly StoredStretch<unknown>[]): string {
  const there = stored.map(({ facts: { from, to } }) => `${nameOf(from)} to ${nameOf(to)}`);
  const list = there.length === 0 ? 'none is' : `there are ${[...new Set(there)].slice(-5).join(', ')}`;
  return `No stored binary log leads on from ${file}:${String(offset)}, where the snapshot was taken (${list}): take another base, or store the log (method=binlogs) from the base on.`;
}

/** Whether the moment lies behind what is known. */
function beyond(moment: Moment, tour: Tour, { to, seenAt, isGapAhead }: Walk<unknown>): string[] {
  if (moment.kind === 'end' || tour.isThere) return [];
  const isSeen = moment.kind === 'time' && moment.time.getTime() <= Date.parse(seenAt);
  const isAtEnd = moment.kind === 'position' && compare(moment.position, to) === 0;
  if (isSeen || isAtEnd) return [];
  const gap = isGapAhead ? ', where there is a gap in the log' : '';
  return [
    `${momentName(moment)} is not covered: the stored log ends at ${nameOf(to)}, seen ${seenAt}${gap}. Choose an earlier moment, say --until latest, or store more of the log (respaldo backup, respaldo stream).`,
  ];
}

const LONGEST_STATEMENT = 100;

/** Goes through the log once. */
class Tour {
  readonly #from: LogPosition;
  readonly #moment: Moment;
  readonly #transactions = new Transactions();
  readonly #replayed: Replayed;
  readonly #gtidsBefore: GtidState;
  readonly #problems = new Set<string>();
  readonly #scope: Scope;
  #to: LogPosition;
  #count = 0;
  #hasBoundary: boolean;
  #isTooLate = false;
  #stopsBefore: PlacedEvent | undefined;
  #stopSql: string | undefined;
  /** The beginning of the transaction that is being read. */
  #begun: PlacedEvent | undefined;
  #lastTime: number | undefined;
  #lastGtid: string | undefined;

  constructor(from: LogPosition, moment: Moment, scope: Scope, { legs, timesBefore }: Walk<unknown>) {
    this.#from = from;
    this.#to = from;
    this.#moment = moment;
    this.#scope = scope;
    this.#replayed = new Replayed(scope);
    const [first] = legs;
    const isMiddle = first !== undefined && first.part === first.facts.parts[0];
    this.#gtidsBefore = GtidState.parse(isMiddle ? first.facts.gtids.before : '');
    this.#hasBoundary = from.offset <= FIRST || from.offset === first?.part.from;
    this.#isTooLate = moment.kind === 'time' && timesBefore.some((time) => Date.parse(time) >= moment.time.getTime());
  }

  get isThere(): boolean {
    return this.#stopsBefore !== undefined || this.#isTooLate;
  }

  /** @returns whether more is wanted */
  take(placed: PlacedEvent): boolean {
    const { file, from, to, event } = placed;
    // The base is of a time when its file had been begun.
    if (this.#moment.kind === 'time' && file === this.#from.file && isAfter(placed.format, this.#moment.time))
      this.#isTooLate = true;
    if (compare({ file, offset: from }, this.#from) < 0) {
      this.#before(placed);
      if (compare({ file, offset: to }, this.#from) === 0) this.#hasBoundary = true;
      return true;
    }
    if (this.#stopsBefore !== undefined) return this.#describeStop(event);
    const step = this.#transactions.take(event);
    if (step.begins && isReached(this.#moment, placed)) {
      this.#stopsBefore = placed;
      return true;
    }
    if (step.begins) this.#begun = placed;
    if (step.ends && this.#reachesBeyond({ file, offset: to })) {
      this.#stopsBefore = this.#begun;
      return false;
    }
    this.#replayed.take(placed, step);
    this.#lookFor(event);
    if (!step.ends) return true;
    this.#count += 1;
    this.#to = { file, offset: to };
    this.#lastTime = event.timestamp;
    this.#lastGtid = step.gtid;
    return true;
  }

  /** Why the log cannot be the one that the base belongs to. */
  alien(gtid: string | undefined): string[] {
    const known = GtidState.parse(gtid ?? '');
    const before = this.#gtidsBefore;
    const isOther = known.text !== '' && before.text !== '' && !(isWithin(known, before) && isWithin(before, known));
    const other = 'it is the log of another server, or of another time.';
    return [
      ...(this.#hasBoundary
        ? []
        : [
            `${nameOf(this.#from)}, where the snapshot was taken, is no place between two events of the stored log: ${other}`,
          ]),
      ...(isOther
        ? [
            `At ${nameOf(this.#from)} the stored log is at the GTIDs ${before.text}, and the snapshot was at ${known.text}: ${other}`,
          ]
        : []),
    ];
  }

  obstacles(): string[] {
    const tooLate = `The snapshot was taken after ${momentName(this.#moment)}: take an earlier one as the base.`;
    const touched = [...this.#replayed.touched].map((name) => `"${name}"`).join(', ');
    return [
      ...(this.#isTooLate ? [tooLate] : []),
      ...(touched === ''
        ? []
        : [
            `The log speaks of ${touched}, which the server has, and which would not be restored but changed: restore on another server, or rename what is there.`,
          ]),
      ...this.#boundToName(),
      ...this.#problems,
    ];
  }

  #boundToName(): string[] {
    const { renamed } = this.#scope;
    const { bound } = this.#replayed;
    if (renamed === undefined || bound === undefined) return [];
    const statement = bound.trim().split('\n', 1).join('').slice(0, LONGEST_STATEMENT);
    return [
      `"${renamed.from}" cannot become "${renamed.to}", since the log holds a statement that would act on "${renamed.from}" itself, or might: ${statement} … Restore it under its own name, on another server, or choose an earlier moment.`,
    ];
  }

  replay({ legs }: Walk<LogHolder>): Pick<Replay, 'shown' | 'to' | 'lastGtid'> {
    const files = [...new Set(legs.map(({ part }) => part.file))].filter(
      (file) => compare({ file, offset: 0 }, this.#to) <= 0,
    );
    const stop = this.#stopsBefore;
    return {
      to: this.#to,
      ...(this.#lastGtid !== undefined && { lastGtid: this.#lastGtid }),
      shown: {
        from: nameOf(this.#from),
        to: nameOf(this.#to),
        files,
        transactions: this.#count,
        leftOut: { ...this.#replayed.leftOut },
        ...(this.#lastTime !== undefined && { lastTime: isoTime(this.#lastTime) }),
        ...(this.#lastGtid !== undefined && { lastGtid: this.#lastGtid }),
        ...(stop && {
          stopsBefore: {
            position: `${stop.file}:${String(stop.from)}`,
            time: isoTime(stop.event.timestamp),
            ...(gtidOf(stop.event) !== undefined && { gtid: gtidOf(stop.event) ?? '' }),
            ...(this.#stopSql !== undefined && { statement: this.#stopSql }),
          },
        }),
      },
    };
  }

  /** A place in the middle of a transaction is none that it could end at. */
  #reachesBeyond(end: LogPosition): boolean {
    return this.#moment.kind === 'position' && compare(end, this.#moment.position) > 0;
  }

  /** What is in the base already; a moment that lies there is past. */
  #before(placed: PlacedEvent): void {
    const { event } = placed;
    this.#gtidsBefore.add(event);
    const step = this.#transactions.take(event);
    if (step.begins && isReached(this.#moment, placed)) this.#isTooLate = true;
    const { kind } = this.#moment;
    if (kind === 'gtid' && this.#gtidsBefore.has(this.#moment.gtid)) this.#isTooLate = true;
    if (kind === 'position' && compare(this.#moment.position, this.#from) < 0) this.#isTooLate = true;
  }

  #describeStop(event: BinlogEvent): boolean {
    if (!isQuery(event) || /^\s*BEGIN\b/i.test(parseQuery(event).sql))
      return event.type !== EVENT.xid && event.type !== EVENT.tableMap;
    this.#stopSql = parseQuery(event).sql;
    return false;
  }

  #lookFor({ type }: BinlogEvent): void {
    if (type === EVENT.incident)
      this.#problems.add('The server says in its log that it has lost events: take a base behind that.');
    if (type === EVENT.beginLoadQuery)
      this.#problems.add(
        'The log holds LOAD DATA as a statement, which cannot be replayed: choose an earlier moment, and set binlog_format=ROW (or MIXED) for the future.',
      );
    if (type === EVENT.mysqlPayload && !this.#scope.isWhole)
      this.#problems.add(
        'The log is compressed by transactions, so that single databases cannot be told apart in it: restore a base of all databases.',
      );
  }
}

/** Whether a file was begun at a time, or behind it. */
function isAfter(format: Buffer, time: Date): boolean {
  return format.readUInt32LE(0) * 1000 >= time.getTime();
}

function nameOf({ file, offset }: LogPosition): string {
  return `${file}:${String(offset)}`;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
