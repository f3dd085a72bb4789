import type { Command } from 'commander';
import type { Clock } from '../clock.ts';
import type { Output } from './output.ts';

/** The options that every verb has. */
export interface Globals {
  readonly repo?: string;
  readonly repositoryFile?: string;
  readonly passwordFile?: string;
  readonly passwordCommand?: string;
  readonly config?: string;
  readonly cacheDir?: string;
  /** False: `--no-cache`. */
  readonly cache: boolean;
  /** False: `--no-lock`. */
  readonly lock: boolean;
  /** Milliseconds. */
  readonly retryLock?: number;
  /** MiB. */
  readonly packSize?: string;
  readonly compression?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  /** How often `-v` was given. */
  readonly verbose: number;
  /** False: `--no-color`. */
  readonly color: boolean;
}

/** One run of the command line, as a verb sees it. */
export interface Invocation {
  readonly globals: Globals;
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Of Respaldo: `0.1.0`. */
  readonly version: string;
  /** Ends the command with this code although nothing was thrown: 3 for what is incomplete. */
  readonly exit: (code: number) => void;
  /** The program with every verb filled in. */
  readonly wholeProgram: () => Promise<Command>;
}
