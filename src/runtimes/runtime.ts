import type { ContainerImage } from '../domain/container-image.ts';
import type { Workload } from '../domain/workload.ts';

/** Where a source's tools run: this host, a container, a pod. */
export interface Command {
  /** Program and arguments: a list, never a shell string. */
  readonly argv: readonly [string, ...string[]];
  /** Added to a minimal environment; the place for secrets. Never logged. */
  readonly env?: Readonly<Record<string, string>>;
  /** Give it all of our own environment, not a minimal one: a command of the user's (host only). */
  readonly ownEnvironment?: true;
  /** Written to standard input, which is then closed. Absent: standard input is empty. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Absent: this process's own on the host, the image's in a container. */
  readonly cwd?: string;
  /** Run as this user: on the host this needs root, and a pod runs everything as its own user: `usage`. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Runtime {
  readonly kind: 'host' | 'docker' | 'kubernetes';
  /** For people: `this host`, `the container shop-db`, `the pod shop/db-0`. */
  readonly place: string;

  /**
   * Streams standard output with back-pressure. Ends normally only after a confirmed exit 0; else throws
   * `command-failed` with the exit code or signal and the tail of standard error, so that a cut-short dump can never
   * look whole. Leaving the loop early, or an abort, ends the whole process group before this returns.
   * @throws RespaldoError `tool-missing` if there is no such program, `command-failed`, `cancelled`; of a container
   * `source-missing` (no such container or pod), `source-refused` (it does not run, or we may not reach it),
   * `source-lost` (the way to it broke), `usage`.
   */
  run(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /** What the container is made of. Absent where there is none. @throws RespaldoError as {@link run} */
  image?(): Promise<ContainerImage>;
}

export interface SandboxRequest {
  /** Of a container, such as `postgres:17`. It must be there, and hold a shell. */
  readonly image: string;
  /** Of this machine; it is at the same path in the sandbox, and nothing else of this machine is. */
  readonly folder: string;
  /** A file in the folder: the sandbox ends by itself when it is gone. */
  readonly lifeline: string;
  /** Who everything in it is run as. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/** A container of our own without a network. Disposing removes it, with whatever runs in it. */
export interface Sandbox extends AsyncDisposable {
  readonly runtime: Runtime;
}

/** Knows which containers or pods there are. */
export interface WorkloadList {
  readonly kind: 'docker' | 'kubernetes';
  /**
   * Running or not. What is gone before it could be looked at is left out.
   * @throws RespaldoError `config`, `source-missing`, `source-refused`, `source-lost`: nobody answers, or not to us;
   * `usage` for a context that there is none of.
   */
  list(signal: AbortSignal): Promise<readonly Workload[]>;
}
