import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { answers } from './answers.ts';

/** A socket that a server listens on. */
export interface ServerSocket {
  readonly path: string;
  readonly folder: string;
  readonly port: number;
  /** Number of the user who runs the server. */
  readonly owner: number;
  /** Of the process that made it, where we may see that. */
  readonly pid?: number;
}

const NAME = /^\.s\.PGSQL\.(\d{1,5})$/;
/** Where packages put them, and where libpq looks for them. */
const USUAL = ['/var/run/postgresql', '/tmp', '/run/postgresql'];

/** Those that answer: a file may be left of a server that was killed. */
export async function listeningSockets(env: NodeJS.ProcessEnv = process.env): Promise<readonly ServerSocket[]> {
  const own = env.PGHOST?.startsWith('/') === true ? [env.PGHOST] : [];
  const candidates = [...(await boundSockets()), ...(await Promise.all([...own, ...USUAL].map(socketsIn))).flat()];
  const found = new Map<string, ServerSocket>();
  for (const candidate of new Set(candidates)) {
    const port = Number(NAME.exec(path.basename(candidate))?.[1]);
    const status = await stat(candidate).catch(() => undefined);
    if (status?.isSocket() !== true) continue;
    // One socket may have several paths: /var/run is a link to /run.
    const id = `${String(status.dev)}:${String(status.ino)}`;
    if (found.has(id) || !(await answers({ path: candidate }))) continue;
    const pid = await makerOf(candidate);
    found.set(id, {
      path: candidate,
      folder: path.dirname(candidate),
      port,
      owner: status.uid,
      ...(pid !== undefined && { pid }),
    });
  }
  return [...found.values()];
}

/** A server keeps a lock file beside each of its sockets, which begins with its number. */
async function makerOf(socket: string): Promise<number | undefined> {
  const lock = await readFile(`${socket}.lock`, 'utf8').catch(() => '');
  const pid = /^(\d+)\n/.exec(lock)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Paths that the kernel knows to be listened on, wherever they lie. */
async function boundSockets(): Promise<readonly string[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const paths = table.split('\n').map((line) => /(\/.*)$/.exec(line)?.[1] ?? '');
  return [...new Set(paths.filter((one) => NAME.test(path.basename(one))))];
}

async function socketsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => NAME.test(name)).map((name) => path.join(folder, name));
}
