import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Of a clock tick, on every Linux that Node runs on. Seconds. */
const TICK = 0.01;
/** Fields of `/proc/PID/stat` behind the name, counted from 0: utime, stime, and the same of children that have ended. */
const TIMES = [11, 12, 13, 14];
/** How often it is looked whether sessions have ended. Milliseconds. */
const LOOK = 20;

/** The processor time that a PostgreSQL server takes, with all of its sessions that have ended. */
export class ServerTime {
  readonly #pid: string;
  readonly #idle: number;

  /** @param data of a server that runs, and has no session now: its data directory */
  constructor(data: string) {
    const [pid = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    this.#pid = pid;
    this.#idle = this.#children();
  }

  /** Seconds, once all sessions have ended: until then their time is not the server's. */
  async now(): Promise<number> {
    while (this.#children() > this.#idle) await setTimeout(LOOK);
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return TIMES.reduce((sum, field) => sum + Number(fields[field]), 0) * TICK;
  }

  #children(): number {
    return readFileSync(`/proc/${this.#pid}/task/${this.#pid}/children`, 'utf8').trim().split(' ').length;
  }
}
