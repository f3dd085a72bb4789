/** Who a process is, beyond its number: numbers are reused, and mean nothing in another container or after a reboot. */
import { readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';

export interface ProcessIdentity {
  /** The kernel's id of this boot. */
  readonly boot: string;
  /** The namespace that the process number belongs to. */
  readonly namespace: string;
  /** Clock ticks from boot to the start of the process. */
  readonly started: string;
}

/** Of this process; undefined where the system does not tell (only Linux does). */
export function ownIdentity(): ProcessIdentity | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    const started = startOf(process.pid);
    return started === undefined ? undefined : { boot, namespace, started };
  } catch {
    return undefined;
  }
}

/**
 * Whether the process that gave this identity still runs; undefined if that cannot be known from here: another boot or
 * machine, another container.
 */
export function isRunning(pid: number, identity: ProcessIdentity): boolean | undefined {
  const own = ownIdentity();
  if (own?.boot !== identity.boot || own.namespace !== identity.namespace) return undefined;
  return startOf(pid) === identity.started;
}

/** Whether any process of this machine has the number now. */
export function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

/** When a process started, in clock ticks since boot; undefined if there is none of that number, or a dead one. */
function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in brackets, which may hold anything: count from its end.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : rest[18];
}
