/** Stretches of servers' logs among other snapshots. Pure. */
import type { Snapshot } from './snapshot.ts';
import { compareTimestamps, parseTimestamp } from './timestamp.ts';

type Placed = Pick<Snapshot, 'paths'>;

/** Why a stretch stays that no rule keeps. */
export const LOG_NEEDED = 'others that stay need it';

const LOG = /^\/mysql\/.+\/binlogs$/;
const SERVER = /^\/mysql\/./;

/** Whether a snapshot holds a stretch of a server's log, which is of use only behind a base. */
export function isLogStretch({ paths }: Placed): boolean {
  return paths.length === 1 && paths.every((path) => LOG.test(path));
}

/** Whether logs can be replayed on a snapshot. */
export function isLogBase(snapshot: Placed): boolean {
  return !isLogStretch(snapshot) && snapshot.paths.some((path) => SERVER.test(path));
}

type Dated = Pick<Snapshot, 'id' | 'time' | 'paths'>;

/**
 * The stretches that lead on from the bases that stay, by id: all since the oldest base of the server, and the last one
 * before that. Among stretches, too, rules only tell how far back they go: none is missing between two that stay. A base of a server whose log is not stored under its own address may belong to any.
 * @param stretches those that may go
 * @param all everything that the repository holds and keeps, other stretches included
 */
export function neededStretches(stretches: readonly Dated[], all: readonly Dated[]): ReadonlySet<string> {
  const logs = [...stretches, ...all.filter(isLogStretch)];
  const servers = new Set(logs.map(serverOf));
  const bases = all.filter(isLogBase);
  const needed = new Set<string>();
  for (const server of new Set(stretches.map(serverOf))) {
    const own = bases.filter((base) => isOf(base, server) || ![...servers].some((one) => isOf(base, one)));
    const oldest = earliest([...own, ...all.filter((one) => isLogStretch(one) && serverOf(one) === server)]);
    if (oldest === undefined) continue;
    for (const one of stretches) if (serverOf(one) === server && compareTimes(one, oldest) >= 0) needed.add(one.id);
    const before = logs.filter((one) => serverOf(one) === server && compareTimes(one, oldest) < 0);
    const last = before.reduce<Dated | undefined>(
      (best, one) => (best && compareTimes(best, one) > 0 ? best : one),
      undefined,
    );
    if (last !== undefined) needed.add(last.id);
  }
  return needed;
}

function serverOf({ paths }: Placed): string {
  return (paths[0] ?? '').replace(/\/binlogs$/, '');
}

function isOf({ paths }: Placed, server: string): boolean {
  return paths.some((path) => path.startsWith(`${server}/`));
}

function earliest(snapshots: readonly Dated[]): Dated | undefined {
  return snapshots.reduce<Dated | undefined>(
    (best, one) => (best && compareTimes(best, one) <= 0 ? best : one),
    undefined,
  );
}

function compareTimes(a: Dated, b: Dated): number {
  return compareTimestamps(parseTimestamp(a.time), parseTimestamp(b.time));
}
