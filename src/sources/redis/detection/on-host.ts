import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DetectedServer } from '../../../domain/detection.ts';
import { throwIfAborted } from '../../../errors.ts';
import { isContained } from '../../server/contained-process.ts';
import { SUPERUSER } from '../login-variables.ts';

/** A server writes where it listens into its own command line: `/usr/bin/redis-server 127.0.0.1:6379 [cluster]`. */
const TITLE = /(redis|valkey)-server (?:unixsocket:(\/\S+)|(\S+):(\d+))((?: \[\w+\])*)$/;

/** The servers of this host, by their processes. Nobody is asked anything. */
export async function serversOfHost(signal: AbortSignal, root = '/proc'): Promise<readonly DetectedServer[]> {
  const pids = (await readdir(root).catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: DetectedServer[] = [];
  for (const pid of pids) {
    throwIfAborted(signal);
    const line = await readFile(join(root, String(pid), 'cmdline'), 'utf8').catch(() => '');
    const [, product = '', socket, host = '', port = '', modes = ''] =
      TITLE.exec(line.replaceAll('\0', ' ').trimEnd()) ?? [];
    // A sentinel watches servers, and holds nothing.
    if (product === '' || modes.includes('sentinel') || (await isContained(root, pid))) continue;
    const number = found.filter(({ name }) => name.startsWith(product)).length + 1;
    found.push({
      kind: 'redis',
      name: number === 1 ? product : `${product}-${String(number)}`,
      place: 'this host',
      target: { kind: 'host' },
      address: socket === undefined ? `redis://${reachable(host)}:${port}` : `redis://?socket=${socket}`,
      reasons: [
        `process ${String(pid)}`,
        socket === undefined ? `port ${port}` : `socket ${socket}`,
        ...(modes.includes('cluster') ? ['a node of a cluster'] : []),
      ],
      login: `user ${SUPERUSER}, REDISCLI_AUTH`,
      hostPorts: socket === undefined ? [Number(port)] : [],
    });
  }
  return found;
}

/** From here, of an address that it listens on. */
function reachable(host: string): string {
  if (/^(?:\*|0\.0\.0\.0|127\.0\.0\.1|::1?|\[::1?\]|-?::\*)$/.test(host)) return 'localhost';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
