/** What stops a restore into any server. Pure. */
import type { PlannedDatabase } from '../source.ts';

export function sessionsObstacle({ target, replaces }: PlannedDatabase, disconnect: boolean): string[] {
  if (replaces === undefined || replaces.sessions === 0 || disconnect) return [];
  return [
    `"${target}" is in use by ${String(replaces.sessions)} ${replaces.sessions === 1 ? 'session' : 'sessions'}: end them, or let --disconnect do it.`,
  ];
}

/** @param freeBytes of the disk. Undefined: nobody knows. @param disk how people know it */
export function roomObstacle(
  planned: readonly PlannedDatabase[],
  neededBytes: number,
  { freeBytes }: { readonly freeBytes: number | undefined },
  inPlace: boolean,
  disk = 'The server’s disk',
): string[] {
  if (freeBytes === undefined) return [];
  const replaced = planned.reduce((sum, { replaces }) => sum + (replaces?.bytes ?? 0), 0);
  if (neededBytes <= freeBytes + (inPlace ? replaced : 0)) return [];
  return inPlace || replaced === 0 || neededBytes > freeBytes + replaced
    ? [`${disk} has not enough room: free some.`]
    : [`${disk} has no room for old and new side by side: --in-place drops the old database first.`];
}
