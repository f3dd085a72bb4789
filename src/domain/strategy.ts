import type { WantedType } from './plan.ts';
import { isIncomplete, type Snapshot, type SnapshotType } from './snapshot.ts';

/** Which type of snapshot is taken, compared with which one, and why. */
export interface TypeDecision {
  readonly type: SnapshotType;
  readonly parent?: Snapshot;
  /** A clause for people, behind the type: `the last one is 8 days old`. */
  readonly reason: string;
}

export interface TypeQuestion {
  readonly wanted: WantedType;
  /** Whether the source records types (a database). A directory's `auto` is simply incremental, as restic does it. */
  readonly typed: boolean;
  /** Earlier snapshots of the same host and paths, in any order. */
  readonly history: readonly Snapshot[];
  readonly now: Date;
}

const FULL_EVERY_DAYS = 7;
const INCREMENTALS_PER_FULL = 5;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Decides between full, differential and incremental. Asking for a differential or incremental where there is
 * nothing to compare with gives a full: the most that can be had, and the reason says so.
 */
export function decideType(question: TypeQuestion): TypeDecision {
  const history = usable(question);
  const last = history.at(-1);
  const lastFull = history.findLast(isFull);
  switch (question.wanted) {
    case 'full':
      return { type: 'full', reason: 'asked for' };
    case 'differential':
      return lastFull
        ? { type: 'differential', parent: lastFull, reason: 'asked for' }
        : { type: 'full', reason: 'there is no full to compare with yet' };
    case 'incremental':
      return last
        ? { type: 'incremental', parent: last, reason: 'asked for' }
        : { type: 'full', reason: 'there is no snapshot to compare with yet' };
    case 'auto':
      if (!last) return { type: 'full', reason: 'there is no snapshot to compare with yet' };
      return (
        fullIsDue(question, history, lastFull) ?? { type: 'incremental', parent: last, reason: 'the last snapshot' }
      );
  }
}

/** The tag by which a snapshot tells its type. */
export function typeTag(type: SnapshotType): string {
  return `type=${type}`;
}

function fullIsDue(
  question: TypeQuestion,
  history: readonly Snapshot[],
  lastFull: Snapshot | undefined,
): TypeDecision | undefined {
  if (!question.typed) return undefined;
  if (!lastFull) return { type: 'full', reason: 'there is no full yet' };
  const days = (question.now.getTime() - Date.parse(lastFull.time)) / DAY_MS;
  if (days > FULL_EVERY_DAYS) return { type: 'full', reason: `the last one is ${shownDays(days)} days old` };
  const since = history.length - 1 - history.lastIndexOf(lastFull);
  if (since >= INCREMENTALS_PER_FULL) return { type: 'full', reason: `${String(since)} snapshots since the last one` };
  return undefined;
}

/**
 * Oldest first. An incomplete database snapshot may hold damaged pages and is no base for another; an incomplete
 * directory snapshot only lacks files, and those are then read.
 */
function usable({ typed, history }: Pick<TypeQuestion, 'typed' | 'history'>): readonly Snapshot[] {
  return history
    .filter((snapshot) => !typed || !isIncomplete(snapshot))
    .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

/** `8`, `7.5`; what is past the limit never looks as though it were not. */
function shownDays(days: number): string {
  return String(Math.max(Number(days.toFixed(1)), FULL_EVERY_DAYS + 0.1));
}

/** The full of a database that the next differential is compared with, and the next incrementals are counted from. */
function baseOf(history: readonly Snapshot[]): Snapshot | undefined {
  return usable({ typed: true, history: history.filter(isTyped) }).findLast(isFull);
}

/**
 * Every snapshot restores by itself; but the next differential of a database is compared with its last full.
 * @param history of one source, the oldest first.
 * @returns by a snapshot, the ids of what it cannot do without.
 */
export function needsOf(history: readonly Snapshot[]): (snapshot: Pick<Snapshot, 'id'>) => readonly string[] {
  const base = baseOf(history);
  const newest = history.findLast((snapshot) => !isIncomplete(snapshot));
  return ({ id }) => (base !== undefined && id === newest?.id ? [base.id] : []);
}

/** Databases say so in a tag; a directory snapshot read everything if it had no parent. */
export function isFull(snapshot: Pick<Snapshot, 'tags' | 'parent'>): boolean {
  const tags = snapshot.tags ?? [];
  if (tags.includes(typeTag('full'))) return true;
  return snapshot.parent === undefined && !isTyped(snapshot);
}

/** Full, differential or incremental, as the snapshot's record tells it. */
export function typeOf(snapshot: Pick<Snapshot, 'tags' | 'parent'>): SnapshotType {
  if (isFull(snapshot)) return 'full';
  return (snapshot.tags ?? []).includes(typeTag('differential')) ? 'differential' : 'incremental';
}

function isTyped({ tags = [] }: Pick<Snapshot, 'tags'>): boolean {
  return tags.some((tag) => tag.startsWith('type='));
}
