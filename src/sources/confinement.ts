/** How a drill's programs are run: by nobody in particular, and without a network. */
import { isError } from '../errors.ts';
import type { Command, Runtime } from '../runtimes/runtime.ts';
import type { DrillRequest } from './source.ts';

type User = DrillRequest['user'];

export interface Confinement {
  /** Whom its files must be given to. Absent: they are who runs Respaldo's. */
  readonly user?: User;
  /** Whether the programs see no network at all: a socket in a folder is still a way in. */
  readonly offline: boolean;
  /** The program as it is to be run. */
  command(argv: readonly [string, ...string[]]): Pick<Command, 'argv' | 'user'>;
}

/** As confined as this machine allows. A container is cut off already, and runs everything as the user. */
export async function confine(user: User, runtime: Runtime, signal: AbortSignal): Promise<Confinement> {
  const owner = user.uid === process.getuid?.() ? {} : { user };
  if (runtime.kind !== 'host') return { ...owner, offline: true, command: (argv) => ({ argv }) };
  const prefix = 'user' in owner ? asUser(user) : asOurselves;
  if (await works([...prefix, 'true'], runtime, signal))
    return { ...owner, offline: true, command: (argv) => ({ argv: [...prefix, ...argv] }) };
  return { ...owner, offline: false, command: (argv) => ({ argv, ...owner }) };
}

function asUser({ uid, gid }: User): readonly [string, ...string[]] {
  const to = [`--reuid=${String(uid)}`, `--regid=${String(gid)}`, '--clear-groups'];
  return ['unshare', '--net', '--', 'setpriv', ...to, '--'];
}

const asOurselves = ['unshare', '--user', '--map-current-user', '--net', '--'] as const;

async function works(argv: Command['argv'], runtime: Runtime, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _piece of runtime.run({ argv, cwd: '/' }, signal)) continue;
    return true;
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return false;
    throw error;
  }
}
