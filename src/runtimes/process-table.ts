import { readFile, readdir } from 'node:fs/promises';

import { errnoOf } from '../errors.ts';

/** Sends a signal to all processes of a group; 0 sends none. @returns whether there is anybody to get it. */
export function signalGroup(id: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-id, signal);
  } catch (error) {
    // EPERM: somebody is there, and has changed to a user whom we may not signal.
    return errnoOf(error) === 'EPERM';
  }
}

/**
 * Whether a process of the group still runs. A dead one that nobody has collected yet does not count: where the first
 * process of a container collects none, it would stay for ever.
 */
export async function groupRuns(id: number): Promise<boolean> {
  if (!signalGroup(id, 0)) return false;
  const names = await readdir('/proc').catch(() => undefined);
  if (names === undefined) return true;
  const members = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((pid) => isRunningMember(pid, id)));
  return members.includes(true);
}

/** `/proc/<pid>/stat` is `pid (name) state parent group …`, and a name may hold anything. */
async function isRunningMember(pid: string, group: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const [state, , memberOf] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(memberOf) === group && state !== 'Z' && state !== 'X';
}
