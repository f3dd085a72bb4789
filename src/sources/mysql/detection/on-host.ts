import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DetectedServer } from '../../../domain/detection.ts';
import { throwIfAborted } from '../../../errors.ts';
import { serverVersion } from '../product.ts';
import { greetingOf } from './greeting.ts';

/** Where packages put them. */
const USUAL = [
  '/run/mysqld/mysqld.sock',
  '/var/run/mysqld/mysqld.sock',
  '/var/lib/mysql/mysql.sock',
  '/tmp/mysql.sock',
];
const NAME = /^(?:mysqld?|mariadb)(?:[-_.]?\w+)?\.sock$/;

/** The servers of this host: those whose socket somebody listens on. Nobody logs in. */
export async function serversOfHost(signal: AbortSignal): Promise<readonly DetectedServer[]> {
  const found = new Map<string, DetectedServer>();
  for (const socket of new Set([...USUAL, ...(await boundSockets())])) {
    throwIfAborted(signal);
    const status = await stat(socket).catch(() => undefined);
    if (status?.isSocket() !== true) continue;
    // One socket may have several paths: /var/run is a link to /run.
    const id = `${String(status.dev)}:${String(status.ino)}`;
    const version = found.has(id) ? undefined : await greetingOf(socket);
    if (version !== undefined) found.set(id, server(socket, version, found.size));
  }
  return [...found.values()];
}

function server(socket: string, said: string, number: number): DetectedServer {
  const { product, numbers } = serverVersion(said, '');
  return {
    kind: 'mysql',
    name: number === 0 ? product : `${product}-${String(number + 1)}`,
    place: 'this host',
    target: { kind: 'host' },
    address: `mysql://root@/?socket=${socket}`,
    reasons: [`socket ${socket}`],
    login: 'user root, MYSQL_PWD or ~/.my.cnf',
    version: numbers.join('.'),
    hostPorts: [],
  };
}

/** Paths that the kernel knows to be listened on, wherever they lie. */
async function boundSockets(): Promise<readonly string[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const paths = table.split('\n').map((line) => /(\/.*)$/.exec(line)?.[1] ?? '');
  return [...new Set(paths.filter((one) => NAME.test(path.basename(one))))];
}
