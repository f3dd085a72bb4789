/** Copies of a folder that build upon each other: each but the first holds only what has changed since the one before. */
import type { Selection } from './entry.ts';
import type { WantedType } from './plan.ts';

/** A copy, as those that build upon it remember it. */
export interface ChainLink {
  /** The run that made it. */
  readonly run: string;
  /** When that began: ISO 8601. */
  readonly time: string;
}

/** The copies that the next one can build upon. */
export interface Chain {
  readonly id: string;
  /** What else has to be the same for all of them. */
  readonly of: ChainSubject;
  /** By level: the first holds everything. */
  readonly links: readonly ChainLink[];
}

/** What a chain is about; another one begins where any of it changes. */
export interface ChainSubject {
  /** Absolute, of the folder. */
  readonly path: string;
  readonly selection: Selection;
  /** The names of the archives that have all of its copies, sorted. */
  readonly archives: readonly string[];
}

/** What the next copy is, and why. */
export interface NextLevel {
  readonly level: number;
  /** The earlier copies that stay part of the chain. */
  readonly base: readonly ChainLink[];
  /** A clause for people. */
  readonly reason: string;
}

const FULL_EVERY_DAYS = 7;
const INCREMENTALS_PER_FULL = 5;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Why another copy holds everything, where those that it could build upon are not all there. */
export const CHAIN_GONE = 'what it would build upon is not there any more';

/** Decides whether the next copy holds everything, or what has changed since the first or the last one. */
export function nextLevel(chain: Chain | undefined, subject: ChainSubject, wanted: WantedType, now: Date): NextLevel {
  const whole = (reason: string): NextLevel => ({ level: 0, base: [], reason });
  const [first] = chain?.links ?? [];
  if (wanted === 'full') return whole('asked for');
  if (chain === undefined || first === undefined) return whole('there is none to build upon yet');
  if (!isSame(chain.of, subject)) return whole('what is copied, or where to, has changed');
  if (wanted === 'differential') return { level: 1, base: [first], reason: 'asked for' };
  const after = { level: chain.links.length, base: chain.links };
  if (wanted === 'incremental') return { ...after, reason: 'asked for' };
  const days = (now.getTime() - Date.parse(first.time)) / DAY_MS;
  if (!(days <= FULL_EVERY_DAYS)) return whole(`the last full is ${days.toFixed(1)} days old`);
  if (chain.links.length > INCREMENTALS_PER_FULL)
    return whole(`${String(INCREMENTALS_PER_FULL)} build upon the last full`);
  return { ...after, reason: 'the last one' };
}

function isSame(one: ChainSubject, other: ChainSubject): boolean {
  return canonical(one) === canonical(other);
}

/** The same text for what means the same, whatever the order of keys, and whether or not there are keys without a value. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
