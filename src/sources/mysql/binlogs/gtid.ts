/** Identifiers of transactions, as the two products have them. Pure. */
import { EVENT, type BinlogEvent } from './event.ts';

/** Which transaction begins with an event; undefined: none does, or it has no identifier (`anonymous`). */
export function gtidOf({ type, serverId, body }: BinlogEvent): string | undefined {
  switch (type) {
    case EVENT.gtid:
      return `${String(body.readUInt32LE(8))}-${String(serverId)}-${String(body.readBigUInt64LE(0))}`;
    case EVENT.mysqlGtid:
      return `${uuidOf(body.subarray(1, 17))}:${String(body.readBigInt64LE(17))}`;
    default:
      return undefined;
  }
}

/** Whether a transaction begins with an event. */
export function beginsTransaction({ type }: BinlogEvent): boolean {
  return BEGINNINGS.has(type);
}
const BEGINNINGS: ReadonlySet<number> = new Set([
  EVENT.gtid,
  EVENT.mysqlGtid,
  EVENT.mysqlAnonymousGtid,
  EVENT.mysqlTaggedGtid,
]);

const STANDALONE = 0x01;

/** Of MariaDB: one event follows, and nothing says where it ends. */
export function isStandalone({ type, body }: BinlogEvent): boolean {
  return type === EVENT.gtid && (body.readUInt8(12) & STANDALONE) !== 0;
}

/** All transactions up to some place in the log. */
export class GtidState {
  /** Of MariaDB: the last of each domain, `0-1-42`. */
  readonly #domains = new Map<number, string>();
  /** Of MySQL: the numbers of each server, as ranges without gaps between them. */
  readonly #servers = new Map<string, [first: bigint, last: bigint][]>();

  /** @param text as {@link text} wrote it */
  static parse(text: string): GtidState {
    const state = new GtidState();
    for (const part of text.split(',').map((one) => one.trim())) {
      const [domain] = part.split('-', 1);
      const [uuid = '', ...ranges] = part.split(':');
      if (part.includes(':'))
        for (const range of ranges) {
          const [first = '0', last = first] = range.split('-');
          state.#addRange(uuid, BigInt(first), BigInt(last));
        }
      else if (domain !== undefined && domain !== '') state.#domains.set(Number(domain), part);
    }
    return state;
  }

  /** What an event adds: a transaction, or the list with which a file begins. */
  add(event: BinlogEvent): void {
    const gtid = gtidOf(event);
    if (event.type === EVENT.gtid && gtid !== undefined) this.#domains.set(event.body.readUInt32LE(8), gtid);
    else if (event.type === EVENT.mysqlGtid) {
      const number = event.body.readBigInt64LE(17);
      this.#addRange(uuidOf(event.body.subarray(1, 17)), number, number);
    } else if (event.type === EVENT.gtidList) this.#addList(event.body);
    else if (event.type === EVENT.mysqlPreviousGtids) this.#addSet(event.body);
  }

  has(gtid: string): boolean {
    return isWithin(GtidState.parse(gtid), this);
  }

  /** `0-1-42,1-1-7`, or `3e11fa47-…:1-5:7,…`; empty: none. */
  get text(): string {
    const domains = [...this.#domains].toSorted(([a], [b]) => a - b).map(([, gtid]) => gtid);
    const servers = [...this.#servers]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([uuid, ranges]) => [uuid, ...ranges.map(rangeText)].join(':'));
    return [...domains, ...servers].join(',');
  }

  get domains(): ReadonlyMap<number, string> {
    return this.#domains;
  }

  get servers(): ReadonlyMap<string, readonly (readonly [bigint, bigint])[]> {
    return this.#servers;
  }

  /** The last of each domain and server: the list is in the order of its domains, the last of each behind the others. */
  #addList(body: Buffer): void {
    const count = body.readUInt32LE(0) & 0x0fff_ffff;
    for (let i = 0; i < count; i += 1) {
      const at = 4 + 16 * i;
      const [domain, server] = [body.readUInt32LE(at), body.readUInt32LE(at + 4)];
      this.#domains.set(domain, `${String(domain)}-${String(server)}-${String(body.readBigUInt64LE(at + 8))}`);
    }
  }

  /** Sets that know tags are written in another way, which their eighth byte tells: they are left out. */
  #addSet(body: Buffer): void {
    if (body.length < 8 || body.readUInt8(7) !== 0) return;
    const servers = Number(body.readBigUInt64LE(0));
    let at = 8;
    for (let i = 0; i < servers; i += 1) {
      const uuid = uuidOf(body.subarray(at, at + 16));
      const ranges = Number(body.readBigUInt64LE(at + 16));
      at += 24;
      for (let j = 0; j < ranges; j += 1, at += 16)
        this.#addRange(uuid, body.readBigInt64LE(at), body.readBigInt64LE(at + 8) - 1n);
    }
  }

  #addRange(uuid: string, first: bigint, last: bigint): void {
    const all = [...(this.#servers.get(uuid) ?? []), [first, last] as [bigint, bigint]].toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    );
    const merged: [bigint, bigint][] = [];
    for (const [from, to] of all) {
      const before = merged.at(-1);
      if (before !== undefined && from <= before[1] + 1n) before[1] = to > before[1] ? to : before[1];
      else merged.push([from, to]);
    }
    this.#servers.set(uuid, merged);
  }
}

/** Whether every transaction of the one is in the other. */
export function isWithin(one: GtidState, other: GtidState): boolean {
  const domains = [...one.domains].every(([domain, gtid]) => numberOf(gtid) <= numberOf(other.domains.get(domain)));
  const servers = [...one.servers].every(([uuid, ranges]) =>
    ranges.every(([first, last]) => (other.servers.get(uuid) ?? []).some(([from, to]) => from <= first && last <= to)),
  );
  return domains && servers;
}

function numberOf(gtid: string | undefined): bigint {
  return gtid === undefined ? -1n : BigInt(gtid.split('-')[2] ?? 0);
}

function rangeText([first, last]: readonly [bigint, bigint]): string {
  return first === last ? String(first) : `${String(first)}-${String(last)}`;
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
