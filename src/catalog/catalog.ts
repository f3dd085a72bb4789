/** Memory of what was run. Rebuildable or dispensable: the repository is the truth. */
export interface NewRun {
  /** `archive`: archives were made of a snapshot; those that a backup writes are part of it. */
  readonly operation: 'backup' | 'archive' | 'restore' | 'forget' | 'prune' | 'check' | 'verify';
  /** Plan name, or the address for an ad-hoc run. Holds no secret. */
  readonly subject: string;
  readonly repository: string;
  /** `full`, `incremental` … where it applies. */
  readonly type?: string;
  readonly startedAt: Date;
  /** The process that does it, as that of this machine is told from all others; for a backup. */
  readonly owner?: string;
}

export interface RunOutcome {
  readonly state: 'succeeded' | 'incomplete' | 'failed' | 'cancelled';
  readonly finishedAt: Date;
  readonly snapshot?: string;
  readonly bytesProcessed?: number;
  readonly bytesAdded?: number;
  /** Of a drill: how long it took until what was restored could be used, in milliseconds. */
  readonly recoveryMs?: number;
  /** Error code and message, without secrets. */
  readonly error?: string;
}

export interface RunRecord extends NewRun {
  readonly id: number;
  /** Absent while it runs, or when the process died. */
  readonly outcome?: RunOutcome;
}

export interface RunQuery {
  readonly subject?: string;
  readonly limit?: number;
}

export interface Catalog {
  begin(run: NewRun): Promise<number>;
  finish(id: number, outcome: RunOutcome): Promise<void>;
  /** Newest first. */
  runs(query: RunQuery): Promise<readonly RunRecord[]>;
  close(): void;
}
