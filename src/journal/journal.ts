import type { StoppedContainer } from '../domain/stopped.ts';

/**
 * What Respaldo has stopped and has to start again, whatever happens to it: each run that stops something keeps a
 * record, which survives the end of the process and of the machine.
 */
export interface StoppedJournal {
  /**
   * Begins a record, durable when this returns; from then on no other Respaldo that uses the journal begins one with
   * any of the containers.
   * @param reach the variables by which the engine is found. No secrets.
   * @param ids of all containers that are going to be stopped.
   * @throws RespaldoError `source-refused` if another one has stopped one of them, or the record cannot be written.
   */
  begin(reach: Readonly<Record<string, string>>, ids: readonly string[]): Promise<StoppedRecord>;
  /**
   * The records of runs that ended without closing them; they are the caller's from now on.
   * @param warn told of one that cannot be read.
   */
  adopt(warn: (message: string) => void): Promise<readonly StoppedRecord[]>;
}

export interface StoppedRecord {
  readonly reach: Readonly<Record<string, string>>;
  /** In the order in which they were stopped. */
  readonly containers: readonly StoppedContainer[];
  /** Whether the machine was started anew since the record was begun. */
  readonly rebooted: boolean;
  /** Durable when it returns. @throws RespaldoError `source-refused` */
  update(containers: readonly StoppedContainer[]): Promise<void>;
  /** Nothing is left to be started. */
  close(): Promise<void>;
}
