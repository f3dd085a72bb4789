import type { Snapshot } from '../../domain/snapshot.ts';
import type { Id } from '../format/id.ts';
import { parseTime } from '../format/time.ts';

/** The snapshots that a repository has, by where they came from. */
export class CopiesBefore {
  readonly #byOrigin = new Map<Id, Snapshot[]>();

  constructor(snapshots: readonly Snapshot[]) {
    for (const snapshot of snapshots)
      for (const origin of new Set([snapshot.id, snapshot.original ?? snapshot.id]))
        this.#byOrigin.set(origin, [...(this.#byOrigin.get(origin) ?? []), snapshot]);
  }

  /** The copy of this snapshot: of the same origin, and equal in all but its parent, as in restic. */
  of(snapshot: Snapshot): Snapshot | undefined {
    return this.#byOrigin.get(snapshot.original ?? snapshot.id)?.find((copy) => isSimilar(copy, snapshot));
  }
}

function isSimilar(a: Snapshot, b: Snapshot): boolean {
  return (
    parseTime(a.time) === parseTime(b.time) &&
    a.tree === b.tree &&
    a.hostname === b.hostname &&
    a.username === b.username &&
    (a.uid ?? 0) === (b.uid ?? 0) &&
    (a.gid ?? 0) === (b.gid ?? 0) &&
    (a.excludes ?? []).join('\0') === (b.excludes ?? []).join('\0') &&
    isSameSet(a.paths, b.paths) &&
    isSameSet(a.tags ?? [], b.tags ?? [])
  );
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && b.every((one) => a.includes(one));
}
