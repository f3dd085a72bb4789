/** Where drills restore to: folders that are gone afterwards, together with the programs that were started in them. */
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { errnoOf, RespaldoError } from '../errors.ts';
import { isRunning, ownIdentity } from '../repository/index.ts';

const PREFIX = 'respaldo-drill-';
const MARKER = 'drill.json';
/** What a server gets to end by itself, before it is killed. */
const GRACE_MS = 5000;
const KILL_MS = 10_000;
const POLL_MS = 20;

const marker = z.object({
  host: z.string(),
  pid: z.number().int(),
  process: z.object({ boot: z.string(), namespace: z.string(), started: z.string() }),
});

export interface DrillPlace {
  /** An absolute folder, in which each drill makes one of its own. */
  readonly base: string;
  /** The names of the programs that are started in it, and may be ended. */
  readonly programs: readonly string[];
}

/** Whom programs of a drill run as where Respaldo runs as root, which servers refuse, and need not be. */
const NOBODY = { uid: 65_534, gid: 65_534 };

export function drillUser(): { readonly uid: number; readonly gid: number } {
  const own = { uid: process.getuid?.() ?? NOBODY.uid, gid: process.getgid?.() ?? NOBODY.gid };
  return own.uid === 0 ? NOBODY : own;
}

/** A folder of one drill. */
export class DrillFolder implements AsyncDisposable {
  readonly path: string;
  readonly #programs: readonly string[];

  private constructor(folder: string, programs: readonly string[]) {
    this.path = folder;
    this.#programs = programs;
  }

  /** @throws RespaldoError `target-refused` where none can be made. */
  static async make({ base, programs }: DrillPlace): Promise<DrillFolder> {
    try {
      const folder = await mkdtemp(path.join(base, PREFIX));
      // Servers run as another user than root, and may pass through: what lies in it is closed by itself.
      if (process.getuid?.() === 0) await chmod(folder, 0o711);
      const own = { host: hostname(), pid: process.pid, process: ownIdentity() };
      await writeFile(path.join(folder, MARKER), JSON.stringify(own), { mode: 0o600, flag: 'wx' });
      return new DrillFolder(folder, programs);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw new RespaldoError('target-refused', `cannot restore into ${base}: ${String(errnoOf(error))}`, {
        hint: 'Name a folder that you may write to: --folder /var/tmp',
        cause: error,
      });
    }
  }

  /** @throws RespaldoError `target-full` */
  async requireRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const free = bavail * bsize;
    if (bytes <= free) return;
    throw new RespaldoError(
      'target-full',
      `a drill in ${path.dirname(this.path)} needs ${mebibytes(bytes)}, and ${mebibytes(free)} are free`,
      {
        hint: 'Free some, or name a folder on another disk: --folder /srv/drills, or drill: { folder: … } of the plan.',
      },
    );
  }

  /** A file that is there as long as the folder is. */
  get lifeline(): string {
    return path.join(this.path, MARKER);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.path, this.#programs);
  }
}

/**
 * Removes what drills of this user left behind that were killed, and ends their servers.
 * @returns the folders that are gone
 */
export async function removeLeftovers({ base, programs }: DrillPlace): Promise<readonly string[]> {
  const names = await readdir(base).catch(() => []);
  const removed: string[] = [];
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const folder = path.join(base, name);
    if (!(await isLeftover(folder))) continue;
    await remove(folder, programs);
    removed.push(folder);
  }
  return removed;
}

/** Whether it is our own, and the process that made it does certainly not run any more. */
async function isLeftover(folder: string): Promise<boolean> {
  try {
    const { uid } = await stat(folder);
    if (uid !== process.getuid?.()) return false;
    const {
      host,
      pid,
      process: identity,
    } = marker.parse(JSON.parse(await readFile(path.join(folder, MARKER), 'utf8')));
    const own = ownIdentity();
    const isBeforeReboot = own?.boot !== identity.boot && own?.namespace === identity.namespace;
    return host === hostname() && (isBeforeReboot || isRunning(pid, identity) === false);
  } catch {
    return false;
  }
}

async function remove(folder: string, programs: readonly string[]): Promise<void> {
  await endPrograms(folder, programs);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Ends the programs of these names that work in the folder, and in no other: asks first, then kills. */
async function endPrograms(folder: string, programs: readonly string[]): Promise<void> {
  const start = systemClock.monotonic();
  for (;;) {
    const pids = await programsIn(folder, programs);
    if (pids.length === 0) return;
    const elapsed = systemClock.monotonic() - start;
    for (const pid of pids) kill(pid, elapsed > GRACE_MS ? 'SIGKILL' : 'SIGQUIT');
    await wait(POLL_MS);
    if (elapsed > GRACE_MS + KILL_MS)
      throw new RespaldoError('internal', `processes in ${folder} do not end: ${pids.join(', ')}`);
  }
}

/** By the folder that they work in, which nobody else knows, and the program that they run. */
async function programsIn(folder: string, programs: readonly string[]): Promise<readonly number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [cwd, program] = await Promise.all([link(`/proc/${pid}/cwd`), link(`/proc/${pid}/exe`)]);
      return cwd.startsWith(`${folder}/`) && programs.includes(path.basename(program.replace(/ \(deleted\)$/, '')));
    }),
  );
  return pids.filter((_, i) => found[i]).map(Number);
}

/** Empty for what is gone, dead, or somebody else's. */
function link(file: string): Promise<string> {
  return readlink(file).catch(() => '');
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}

function mebibytes(bytes: number): string {
  return `${String(Math.ceil(bytes / 1024 ** 2))} MiB`;
}
