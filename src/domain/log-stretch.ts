/** Stretches of servers' logs among other snapshots. Pure. */
import type { Snapshot } from './snapshot.ts';

type Placed = Pick<Snapshot, 'paths'>;

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
