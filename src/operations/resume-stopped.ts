import { toRespaldoError, type RespaldoError } from '../errors.ts';
import type { StoppedJournal } from '../journal/journal.ts';
import type { ContainerEngine } from '../runtimes/container-engine.ts';
import { bringBack } from './standstill.ts';

export interface ResumePorts {
  readonly journal: StoppedJournal;
  /** The engine that is found by these variables. Nothing is connected yet. */
  readonly engineAt: (reach: Readonly<Record<string, string>>) => Promise<ContainerEngine>;
  readonly warn: (message: string) => void;
  /** Told of what a backup that was killed had left, before anything is done about it. */
  readonly onFound: (names: readonly string[]) => void;
}

/**
 * Starts the containers that an earlier backup had stopped and could not start any more.
 * @returns why some of them do not run; they are tried again the next time.
 */
export async function resumeStopped({
  journal,
  engineAt,
  warn,
  onFound,
}: ResumePorts): Promise<readonly RespaldoError[]> {
  const failures: RespaldoError[] = [];
  for (const record of await journal.adopt(warn)) {
    onFound(record.containers.map(({ name }) => name));
    try {
      const failure = await bringBack(await engineAt(record.reach), record);
      if (failure) failures.push(failure);
    } catch (error) {
      failures.push(toRespaldoError(error));
    }
  }
  return failures;
}
