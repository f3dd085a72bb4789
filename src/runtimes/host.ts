import { ProcessGroup } from './process-group.ts';
import { outputOf } from './program.ts';
import type { Command, Runtime } from './runtime.ts';

export interface HostOptions {
  /** Milliseconds between asking a program to end and killing it. */
  readonly grace?: number;
}

/** Runs programs on this machine. */
export class HostRuntime implements Runtime {
  readonly kind = 'host';
  readonly place = 'this host';
  readonly #grace: number;

  constructor(options: HostOptions = {}) {
    this.#grace = options.grace ?? 5000;
  }

  run(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return outputOf(() => ProcessGroup.start(command, this.#grace), command, signal);
  }
}
