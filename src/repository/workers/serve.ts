/** The worker's side of a {@link Crew}. */
import { parentPort, workerData, type Transferable } from 'node:worker_threads';
import { RespaldoError } from '../../errors.ts';
import { packError, unpackError, type FromWorker, type ToWorker } from './message.ts';

/** A value whose buffers move to the receiver instead of being copied. */
export interface Moved<T> {
  readonly value: T;
  readonly transfer: readonly Transferable[];
}

/** Hands something to the main thread in the middle of a task; resolves once it was dealt with: back-pressure. */
export type Emit<Event> = (event: Moved<Event>) => Promise<void>;

/**
 * Answers tasks one after another, in the order they arrive. `start` gets the crew's data and makes the handler.
 * A task that throws is answered with its error and does not end the worker.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what crosses a thread is what its sender's types say
export function serve<Data, Task, Answer, Event = never>(
  start: (data: Data, emit: Emit<Event>) => (task: Task) => Moved<Answer> | Promise<Moved<Answer>>,
): void {
  if (parentPort === null) throw new RespaldoError('internal', 'a worker script was run outside a worker thread');
  const port = parentPort;
  const post = (message: FromWorker, transfer: readonly Transferable[] = []): void => {
    port.postMessage(message, transfer);
  };

  const unacknowledged = new Map<number, PromiseWithResolvers<void>>();
  let events = 0;
  const emit: Emit<Event> = ({ value, transfer }) => {
    const event = events++;
    const received = Promise.withResolvers<void>();
    unacknowledged.set(event, received);
    post({ kind: 'event', event, value }, transfer);
    return received.promise;
  };

  const handle = start(workerData as Data, emit);
  const answer = async (id: number, task: Task): Promise<void> => {
    try {
      const { value, transfer } = await handle(task);
      post({ kind: 'answer', id, answer: value }, transfer);
    } catch (error) {
      post({ kind: 'failure', id, error: packError(error) });
    }
  };

  let last = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'task') {
      last = last.then(() => answer(message.id, message.task as Task));
      return;
    }
    const received = unacknowledged.get(message.event);
    unacknowledged.delete(message.event);
    if (message.error === undefined) received?.resolve();
    else received?.reject(unpackError(message.error));
  });
  post({ kind: 'ready' });
}
