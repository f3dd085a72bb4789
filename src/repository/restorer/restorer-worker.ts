/** The restorer's worker thread. */
import type { RepositoryKey } from '../format/cipher.ts';
import { Sealer } from '../format/crypto.ts';
import { serve } from '../workers/serve.ts';
import { type Compared, type CompareTask, compare } from './compare-task.ts';
import { Rooms } from './rooms.ts';
import type { WriterOptions } from './writer-options.ts';
import { carryOut, type WriteTask, type Written } from './write-task.ts';

export interface WorkerData extends WriterOptions {
  readonly key: RepositoryKey;
}

export type Task = WriteTask | CompareTask;
export type Answer = Written | readonly Compared[];

serve<WorkerData, Task, Answer>(({ key, ...options }) => {
  const sealer = new Sealer(key);
  const rooms = new Rooms();
  return async (task) => ({
    value: task.kind === 'write' ? await carryOut(task, sealer, rooms, options) : compare(task),
    transfer: [],
  });
});
