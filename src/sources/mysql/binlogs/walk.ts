/** Which stored parts lead from a place in a log to its end. Pure. */
import { numberOf } from './file-name.ts';
import { FIRST } from './event.ts';
import type { BinlogFacts, PartFacts } from './facts.ts';
import type { LogPosition } from './reader.ts';

/** A stretch, and the snapshot, or whatever else, that holds it. */
export interface StoredStretch<S> {
  readonly snapshot: S;
  readonly facts: WalkFacts;
}

/** What has to be known of a stretch to go through it. */
export type WalkFacts = Pick<
  BinlogFacts,
  'product' | 'chain' | 'from' | 'to' | 'seenAt' | 'lastTime' | 'gtids' | 'formatEvent' | 'parts'
>;

/** A part that has to be read, from its byte `skip` on. */
export interface Leg<S> extends StoredStretch<S> {
  readonly part: PartFacts;
  readonly skip: number;
}

export interface Walk<S> {
  /** The first begins at the start, or somewhat before. */
  readonly legs: readonly Leg<S>[];
  readonly to: LogPosition;
  /** Of the server, when nothing came behind `to` yet: ISO 8601. */
  readonly seenAt: string;
  /** What comes behind `to` is lost. */
  readonly isGapAhead: boolean;
  /** Times of transactions that are known to lie before `legs`. */
  readonly timesBefore: readonly string[];
}

/** The ways on from a place that have no gap: one of each chain that holds the place, the longest first. */
export function walksFrom<S>(start: LogPosition, stored: readonly StoredStretch<S>[]): readonly Walk<S>[] {
  const chains = Map.groupBy(stored, ({ facts }) => facts.chain.id);
  const walks = [...chains.values()].flatMap((chain) => walkChain(start, chain, stored) ?? []);
  return walks.toSorted((a, b) => compare(b.to, a.to));
}

function walkChain<S>(
  start: LogPosition,
  chain: readonly StoredStretch<S>[],
  all: readonly StoredStretch<S>[],
): Walk<S> | undefined {
  const parts = chain.flatMap((stretch) => stretch.facts.parts.map((part) => ({ ...stretch, part })));
  const longest = (file: string, isGood: (part: PartFacts) => boolean): (typeof parts)[number] | undefined =>
    parts.filter(({ part }) => part.file === file && isGood(part)).toSorted((a, b) => b.part.to - a.part.to)[0];
  const readable = parts.filter(({ part, facts }) => part.from === 0 || facts.formatEvent !== undefined);
  const first = readable
    .filter(({ part }) => part.file === start.file && part.from <= start.offset && start.offset <= part.to)
    .toSorted((a, b) => b.part.to - a.part.to)[0];
  if (first === undefined) return undefined;
  const legs: Leg<S>[] = [];
  let next: Leg<S> | undefined = { ...first, skip: 0 };
  let to = start;
  while (next !== undefined) {
    legs.push(next);
    const last: PartFacts = next.part;
    to = { file: last.file, offset: last.to };
    const more = longest(last.file, (part) => part.from <= last.to && part.to > last.to && part.from > 0);
    const follower = last.closed && more === undefined ? followerOf(last.file, parts) : undefined;
    const whole = follower === undefined ? undefined : longest(follower, ({ from }) => from === 0);
    const found: (typeof parts)[number] | undefined = more ?? whole;
    next = found && { ...found, skip: more === undefined ? 0 : last.to - found.part.from };
  }
  const timesBefore = chain.flatMap(({ facts }) =>
    compare(facts.to, start) <= 0 && facts.lastTime !== undefined ? [facts.lastTime] : [],
  );
  return { legs, to, seenAt: seenAt(chain, to), isGapAhead: isBrokenAt(to, all), timesBefore };
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
