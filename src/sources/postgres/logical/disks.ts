/** Whether there is room for what is restored, on each disk that it comes to lie on. Pure. */
import { roomObstacle } from '../../server/obstacles.ts';
import type { PlannedDatabase } from '../../source.ts';

/** A file system of the server. */
export interface Disk {
  /** Those that are restored into, or make room, and lie on it. */
  readonly tablespaces: readonly string[];
  readonly freeBytes: number;
}

/** What takes room, or gives some. Sizes in bytes. */
export interface Stretch {
  /** Of the database, in the dump. */
  readonly name: string;
  readonly tablespace: string;
  readonly bytes: number;
}

export interface Room {
  readonly disks: readonly Disk[];
  readonly planned: readonly PlannedDatabase[];
  /** What the planned ones take. */
  readonly taken: readonly Stretch[];
  /** What is replaced by them. */
  readonly replaced: readonly Stretch[];
  /** What goes before anything is made. */
  readonly dropped: readonly Omit<Stretch, 'name'>[];
}

const DEFAULT = 'pg_default';

/** Several databases want room for all of them at once, because they take their places together. */
export function roomObstacles({ disks, planned, ...room }: Room, inPlace: boolean): readonly string[] {
  return disks.flatMap(({ tablespaces, freeBytes }) => {
    const isHere = ({ tablespace }: { readonly tablespace: string }): boolean => tablespaces.includes(tablespace);
    const [taken, replaced] = [room.taken.filter(isHere), room.replaced.filter(isHere)];
    const free = freeBytes + bytesOf(room.dropped.filter(isHere));
    const here = planned.map(({ name, target }) => {
      const bytes = bytesOf(replaced.filter((stretch) => stretch.name === name));
      return { name, target, ...(bytes > 0 && { replaces: { bytes, sessions: 0 } }) };
    });
    const obstacles = roomObstacle(here, bytesOf(taken), { freeBytes: free }, inPlace, diskName(tablespaces));
    if (obstacles.length === 0 || inPlace || taken.length < 2 || !fitOneByOne(taken, replaced, free)) return obstacles;
    const names = taken.map(({ name }) => name).join(', ');
    return [
      ...obstacles,
      `There is room for one after the other: restore each alone, by latest:/dump/<database> (${names}). All at once they take their places together.`,
    ];
  });
}

/** For people. */
function diskName(tablespaces: readonly string[]): string {
  if (tablespaces.every((name) => name === DEFAULT)) return 'The server’s disk';
  return `The disk of the ${tablespaces.length === 1 ? 'tablespace' : 'tablespaces'} ${tablespaces.join(', ')}`;
}

/** Whether there is room for each beside the one that it replaces, when that one goes before the next one comes. */
function fitOneByOne(taken: readonly Stretch[], replaced: readonly Stretch[], free: number): boolean {
  let left = free;
  for (const { name, bytes } of taken) {
    left -= bytes;
    if (left < 0) return false;
    left += bytesOf(replaced.filter((stretch) => stretch.name === name));
  }
  return true;
}

function bytesOf(stretches: readonly { readonly bytes: number }[]): number {
  return stretches.reduce((sum, { bytes }) => sum + bytes, 0);
}
