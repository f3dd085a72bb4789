import type { DetectedServer } from '../../../domain/detection.ts';
import { throwIfAborted } from '../../../errors.ts';
import { accounts, type Accounts } from './accounts.ts';
import { answers } from './answers.ts';
import { replicationSettings } from './control-file.ts';
import { listeningSockets, type ServerSocket } from './listening-sockets.ts';
import { postmasters, type Postmaster } from './postmasters.ts';

const USUAL_PORT = 5432;
/** The first version that is backed up by its files. */
const OLDEST_BY_FILES = 15;

/**
 * The servers of this host: those whose process may be seen, those whose socket somebody listens on, and what answers
 * on the usual port. Nobody logs in.
 */
export async function serversOfHost(signal: AbortSignal): Promise<readonly DetectedServer[]> {
  const [processes, sockets, names] = await Promise.all([postmasters(), listeningSockets(), accounts()]);
  throwIfAborted(signal);
  const found = await Promise.all(processes.map((process) => ofProcess(process, sockets, names)));
  const others = sockets.filter((socket) => !processes.some((process) => isOf(process, socket)));
  const listening = others.map((socket) => ofSocket(socket, names));
  const ports = new Set([...processes.map(({ port }) => port), ...others.map(({ port }) => port)]);
  const usual = Number(process.env.PGPORT ?? USUAL_PORT);
  const onPort = !ports.has(usual) && (await answers({ host: '127.0.0.1', port: usual })) ? [ofPort(usual)] : [];
  return [...found, ...listening, ...onPort];
}

async function ofProcess(
  process: Postmaster,
  sockets: readonly ServerSocket[],
  names: Accounts,
): Promise<DetectedServer> {
  const { pid, port, folder, owner, version } = process;
  const socket = sockets.find((one) => isOf(process, one));
  const user = names.get(owner);
  const told = server(port, socket?.folder ?? 'localhost', user);
  const isReplicable = Number(version) >= OLDEST_BY_FILES && folder !== undefined && (await letsReplicate(folder));
  return {
    ...told,
    ...(isReplicable && { physical: told.address.replace('method=logical', 'method=physical') }),
    reasons: [
      `process ${String(pid)}`,
      ...(folder === undefined ? [] : [`data directory ${folder}`]),
      ...(socket === undefined ? [] : [`socket ${socket.path}`]),
    ],
    ...(version !== undefined && { version }),
  };
}

/** Whether its settings do: whom it lets in, only a login would tell. */
async function letsReplicate(folder: string): Promise<boolean> {
  const settings = await replicationSettings(folder);
  return settings !== undefined && settings.walLevel !== 'minimal' && settings.walSenders > 0;
}

function isOf(process: Postmaster, { path, pid }: ServerSocket): boolean {
  return path === process.socket || pid === process.pid;
}

function ofSocket({ path, folder, port, owner }: ServerSocket, names: Accounts): DetectedServer {
  return { ...server(port, folder, names.get(owner)), reasons: [`socket ${path}`] };
}

function ofPort(port: number): DetectedServer {
  return { ...server(port, 'localhost', undefined), reasons: [`port ${String(port)} speaks PostgreSQL`] };
}

/** @param host a name, or the folder of a socket; the superuser is called as the one who runs the server. */
function server(port: number, host: string, owner: string | undefined): Omit<DetectedServer, 'reasons' | 'version'> {
  const user = owner === undefined || owner === 'root' ? 'postgres' : owner;
  const login = `${encodeURIComponent(user)}@`;
  const socket = host.startsWith('/');
  const where = socket ? '' : `${host}:${String(port)}`;
  const query = socket ? `host=${host}&port=${String(port)}&` : '';
  return {
    kind: 'postgres',
    name: port === USUAL_PORT ? 'postgres' : `postgres-${String(port)}`,
    place: 'this host',
    target: { kind: 'host' },
    address: `postgresql://${login}${where}/?${query}method=logical`,
    login: `user ${user}, PGPASSWORD or ~/.pgpass`,
    hostPorts: [port],
  };
}
