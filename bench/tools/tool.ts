/** A backup program that is measured. */

/** What a tool works on: a repository, and what it remembers of it elsewhere. Absolute paths. */
export interface Place {
  readonly repository: string;
  readonly cache: string;
}

export type Task =
  | { readonly kind: 'init' }
  /** `name` tells the snapshots of a repository apart, for tools that want to be told. */
  | { readonly kind: 'backup'; readonly name: SnapshotName; readonly source: string }
  | { readonly kind: 'backup-stream'; readonly input: string }
  /** The snapshot `first`, into a folder that exists and is empty. */
  | { readonly kind: 'restore'; readonly target: string }
  | { readonly kind: 'snapshots' }
  | { readonly kind: 'ls' }
  | { readonly kind: 'check' }
  | { readonly kind: 'forget'; readonly keep: number }
  | { readonly kind: 'prune' };

export type SnapshotName = 'first' | 'second';

/** One process to run. */
export interface Command {
  readonly argv: readonly string[];
  /** On top of what every command gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A file that is piped into it. */
  readonly input?: string;
}

export type ToolName = 'respaldo' | 'restic' | 'borg';

export interface Tool {
  readonly name: ToolName;
  readonly version: string;
  /** Whether its repositories are restic's. Others are not asked for what is measured on a shared repository. */
  readonly sharesFormat: boolean;
  command(task: Task, place: Place): Command;
}

export const PASSWORD = 'four words nobody guesses';
