/** What a database is called while it is not, or no longer, the one that people know. */
import { randomBytes } from 'node:crypto';

/** `restoring` until it is whole, `before` once another one has taken its place. */
export type SideUse = 'restoring' | 'before';

const DIGITS = 8;
const UNFINISHED = /_restoring_[0-9a-f]{8}$/;

/** @param shorten cuts a name so that as many more of the server's units fit behind it */
export function sideName(target: string, use: SideUse, shorten: (name: string, room: number) => string): string {
  const end = `_${use}_${randomBytes(DIGITS / 2).toString('hex')}`;
  return shorten(target, end.length) + end;
}

/** Those that restores are filling, or have left because they were killed. */
export function unfinishedOf(names: readonly string[]): readonly string[] {
  return names.filter((name) => UNFINISHED.test(name)).toSorted();
}
