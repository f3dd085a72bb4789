/** Where a source's tools run: this host, a container, a pod. */
export interface Command {
  /** Program and arguments: a list, never a shell string. */
  readonly argv: readonly [string, ...string[]];
  /** Added to a minimal environment; the place for secrets. Never logged. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. Absent: standard input is empty. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly cwd?: string;
  /** Run as this user (host only, needs root). */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Runtime {
  readonly kind: 'host';

  /**
   * Streams standard output with back-pressure. Ends normally only after a confirmed exit 0; else throws
   * `command-failed` with the exit code or signal and the tail of standard error, so that a cut-short dump can never
   * look whole. Leaving the loop early, or an abort, ends the whole process group before this returns.
   * @throws RespaldoError `tool-missing` if there is no such program, `command-failed`, `cancelled`.
   */
  run(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
