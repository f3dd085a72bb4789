/** Which stored parts lead from a place in a log to its end. Pure. */
import { numberOf } from './file-name.ts';
import { FIRST } from './event.ts';
import type { BinlogFacts, PartFacts } from './facts.ts';
import type { LogPosition } from './reader.ts';

/** A stretch, and the snapshot that holds it. */
export interface StoredStretch<S> {
  readonly snapshot: S;
  readonly facts: BinlogFacts;
}

/** A part that has to be read, from its byte `skip` on, which lies at `at` of its file. */
export interface Leg<S> {
  readonly snapshot: S;
  readonly part: PartFacts;
  readonly at: number;
  readonly skip: number;
}

export interface Walk<S> {
  readonly chain: string;
  /** From the beginning of the first file, which tells its format. */
  readonly legs: readonly Leg<S>[];
  readonly to: LogPosition;
  /** Of the server, when nothing came behind `to` yet: ISO 8601. */
  readonly seenAt: string;
  /** All transactions before the first file. */
  readonly isGapAhead: boolean;
}

/**
 * The longest way from a file's beginning on, without a gap, within one chain.
 * @param server whose log it is, where that is known
 * @returns undefined where no chain holds the place
 */
export function walkFrom<S>(
  start: LogPosition,
  stored: readonly StoredStretch<S>[],
  server?: string,
): Walk<S> | undefined {
  const own = server === undefined ? stored : stored.filter(({ facts }) => facts.server === server);
  const chains = Map.groupBy(own, ({ facts }) => facts.chain.id);
  const walks = [...chains.values()].flatMap((chain) => walkChain(start, chain, stored) ?? []);
  return walks.toSorted((a, b) => compare(b.to, a.to))[0];
}

function walkChain<S>(
  start: LogPosition,
  chain: readonly StoredStretch<S>[],
  all: readonly StoredStretch<S>[],
): Walk<S> | undefined {
  const parts = chain.flatMap(({ snapshot, facts }) => facts.parts.map((part) => ({ snapshot, part })));
  const legs: Leg<S>[] = [];
  let [file, at, closed] = [start.file, 0, false];
  for (;;) {
    const next = parts
      .filter(({ part }) => part.file === file && part.from <= at && part.to > Math.max(at, FIRST))
      .toSorted((a, b) => b.part.to - a.part.to)[0];
    if (next !== undefined) {
      legs.push({ ...next, at, skip: at - next.part.from });
      at = next.part.to;
      closed = next.part.closed;
      continue;
    }
    const follower = closed ? followerOf(file, parts) : undefined;
    if (follower === undefined) break;
    [file, at, closed] = [follower, 0, false];
  }
  const to = { file, offset: at };
  const [first] = chain;
  if (legs.length === 0 || first === undefined || compare(to, start) < 0) return undefined;
  return { chain: first.facts.chain.id, legs, to, seenAt: seenAt(chain, to), isGapAhead: isBrokenAt(to, all) };
}

function followerOf(file: string, parts: readonly { readonly part: PartFacts }[]): string | undefined {
  const next = (numberOf(file) ?? NaN) + 1;
  return parts.find(({ part }) => part.from === 0 && numberOf(part.file) === next)?.part.file;
}

/** When the log was looked at for the last time, and ended there. */
function seenAt(chain: readonly StoredStretch<unknown>[], to: LogPosition): string {
  const times = chain
    .filter(({ facts }) => compare(facts.to, to) === 0 || facts.to.offset === FIRST)
    .map(({ facts }) => facts.seenAt);
  return times.toSorted().at(-1) ?? '';
}

function isBrokenAt(to: LogPosition, all: readonly StoredStretch<unknown>[]): boolean {
  return all.some(({ facts: { chain } }) => chain.broken !== undefined && compare(chain.broken.after, to) === 0);
}

export function compare(a: LogPosition, b: LogPosition): number {
  return (numberOf(a.file) ?? 0) - (numberOf(b.file) ?? 0) || a.offset - b.offset;
}
