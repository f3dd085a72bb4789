import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { isContained } from '../../server/contained-process.ts';

/** A server's first process on this host. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Its data directory, where we may see it. */
  readonly folder?: string;
  /** The path of its first socket, if it has one. */
  readonly socket?: string;
  /** Number of the user who runs it. */
  readonly owner: number;
  /** Of the data directory: `15`. */
  readonly version?: string;
}

/** Those of this host itself: what runs in a container is the engine's. */
export async function postmasters(root = '/proc'): Promise<readonly Postmaster[]> {
  const entries = await readdir(root).catch(() => []);
  const pids = entries.filter((name) => /^\d+$/.test(name)).map(Number);
  const servers = new Map<number, { parent: number }>();
  for (const pid of pids) {
    const status = await read(path.join(root, String(pid), 'stat'));
    const [, name, rest] = /^\d+ \((.*)\) \S+ (\d+)/s.exec(status) ?? [];
    if (name === 'postgres' || name === 'postmaster') servers.set(pid, { parent: Number(rest) });
  }
  const found: Postmaster[] = [];
  for (const [pid, { parent }] of servers) {
    // A server's other processes are children of its first.
    if (servers.has(parent) || (await isContained(root, pid))) continue;
    const postmaster = await describe(root, pid);
    if (postmaster !== undefined) found.push(postmaster);
  }
  return found;
}

/** What it keeps in the lock file of its data directory, which it works in; undefined where we may not see that. */
async function describe(root: string, pid: number): Promise<Postmaster | undefined> {
  const own = path.join(root, String(pid));
  const folder = await readlink(path.join(own, 'cwd')).catch(() => undefined);
  const owner = await stat(own).then(
    ({ uid }) => uid,
    () => undefined,
  );
  if (folder === undefined || owner === undefined) return undefined;
  const [, , , port = '', socket = ''] = (await read(path.join(folder, 'postmaster.pid'))).split('\n');
  if (!/^\d+$/.test(port)) return undefined;
  const version = (await read(path.join(folder, 'PG_VERSION'))).trim();
  return {
    pid,
    port: Number(port),
    folder,
    ...(socket !== '' && { socket: path.resolve(folder, socket, `.s.PGSQL.${port}`) }),
    owner,
    ...(version !== '' && { version }),
  };
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
