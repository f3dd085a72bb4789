import type { RunState } from '../domain/hook.ts';
import type { RunSoFar } from '../domain/run-facts.ts';
import type { RespaldoError } from '../errors.ts';
import type { ArchiveOutcome } from './archive-tally.ts';
import type { BackupOutcome } from './backup.ts';
import type { RunResult } from './recording.ts';

/** Who runs, when and to where. */
export interface RunIdentity {
  /** The plan's name, or what is backed up without one. */
  readonly plan: string;
  /** Another one for each run. */
  readonly run: string;
  readonly host: string;
  readonly startedAt: Date;
  readonly destinations: readonly string[];
}

/** A run of a plan: what it has brought about until now, whatever becomes of it. */
export class PlanRun {
  readonly identity: RunIdentity;
  readonly #outcomes: BackupOutcome[] = [];
  readonly #archived: ArchiveOutcome[] = [];
  #problem: RespaldoError | undefined;

  constructor(identity: RunIdentity) {
    this.identity = identity;
  }

  /** One of its sources has been captured. */
  add(outcome: BackupOutcome): void {
    this.#outcomes.push(outcome);
    if (outcome.aftermath !== undefined) this.spoil(outcome.aftermath);
  }

  /** Its archives have got what they could. */
  archived(outcomes: readonly ArchiveOutcome[]): void {
    this.#archived.push(...outcomes);
  }

  /** Something around it failed; the first problem is the one that is remembered. */
  spoil(problem: RespaldoError): void {
    this.#problem ??= problem;
  }

  /** Why what was stopped for it does not run again. */
  get aftermath(): RespaldoError | undefined {
    return this.#outcomes.find(({ aftermath }) => aftermath !== undefined)?.aftermath;
  }

  /** Why it is incomplete, if that is not told by its snapshots. */
  get problem(): RespaldoError | undefined {
    return this.#problem;
  }

  /** Of what was captured. */
  get state(): Extract<RunState, 'succeeded' | 'incomplete'> {
    const all = [...this.#outcomes, ...this.#archived];
    const isWhole = this.#problem === undefined && all.every(({ state }) => state === 'succeeded');
    return isWhole ? 'succeeded' : 'incomplete';
  }

  get soFar(): Omit<RunSoFar, 'state' | 'error'> {
    const bytesOf = (key: 'totalBytesProcessed' | 'dataAddedPacked'): number =>
      this.#outcomes.reduce((sum, { summary }) => sum + summary[key], 0);
    return {
      ...this.identity,
      snapshots: this.#outcomes.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot.id])),
      // What several archives have got was read once.
      bytesProcessed:
        bytesOf('totalBytesProcessed') + Math.max(0, ...this.#archived.map((one) => archivedBytes(one, 'plain'))),
      bytesAdded: this.#archived.reduce((sum, one) => sum + archivedBytes(one, 'stored'), bytesOf('dataAddedPacked')),
    };
  }

  /** What is remembered of it beside its state; of several snapshots the last one. */
  get result(): Omit<RunResult, 'state'> {
    const { snapshots, bytesProcessed, bytesAdded } = this.soFar;
    const snapshot = snapshots.at(-1);
    if (this.#outcomes.length + this.#archived.length === 0) return {};
    return { ...(snapshot !== undefined && { snapshot }), bytesProcessed, bytesAdded };
  }
}

function archivedBytes({ files }: ArchiveOutcome, which: 'plain' | 'stored'): number {
  return files.reduce((sum, { manifest }) => sum + manifest[which].bytes, 0);
}
