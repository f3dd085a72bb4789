/** How a drill's programs are run: by nobody in particular, and without a network. */
import { isError } from '../../../errors.ts';
import type { Command, Runtime } from '../../../runtimes/runtime.ts';

/** Whom a server runs as where Respaldo runs as root, which PostgreSQL refuses. */
const NOBODY = { uid: 65_534, gid: 65_534 };

export interface Confinement {
  /** Absent: as who runs Respaldo. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Whether the programs see no network at all: a socket in a folder is still a way in. */
  readonly offline: boolean;
  /** The program as it is to be run. */
  command(argv: readonly [string, ...string[]]): Pick<Command, 'argv' | 'user'>;
}

/** As confined as this machine allows. */
export async function confine(runtime: Runtime, signal: AbortSignal): Promise<Confinement> {
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot ? rootPrefix : ownPrefix;
  if (await works([...prefix, 'true'], runtime, signal))
    return { ...(isRoot && { user: NOBODY }), offline: true, command: (argv) => ({ argv: [...prefix, ...argv] }) };
  return isRoot
    ? { user: NOBODY, offline: false, command: (argv) => ({ argv, user: NOBODY }) }
    : { offline: false, command: (argv) => ({ argv }) };
}

const rootPrefix = [
  ...(['unshare', '--net', '--', 'setpriv'] as const),
  ...[`--reuid=${String(NOBODY.uid)}`, `--regid=${String(NOBODY.gid)}`, '--clear-groups', '--'],
] as const;

const ownPrefix = ['unshare', '--user', '--map-current-user', '--net', '--'] as const;

async function works(argv: Command['argv'], runtime: Runtime, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _piece of runtime.run({ argv, cwd: '/' }, signal)) continue;
    return true;
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return false;
    throw error;
  }
}
