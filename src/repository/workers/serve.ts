/** The worker's side of a {@link Crew}. */
import { parentPort, type Transferable } from 'node:worker_threads';
import { RespaldoError } from '../../errors.ts';
import { loadDiscard } from '../kernel/discard.ts';
import { requireKoffi } from '../koffi.ts';
import { mixFor } from '../kernel/scrypt.ts';
import { packError, unpackError, type FromWorker, type ToWorker } from './message.ts';

/** A value whose buffers move to the receiver instead of being copied. */
export interface Moved<T> {
  readonly value: T;
  readonly transfer: readonly Transferable[];
}

/**
 * Hands something to the main thread in the middle of a task; resolves once it was dealt with: back-pressure. A buffer
 * of it that can be used again comes back.
 */
export type Emit<Event> = (event: Moved<Event>) => Promise<ArrayBuffer | undefined>;

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

  const unacknowledged = new Map<number, PromiseWithResolvers<ArrayBuffer | undefined>>();
  let events = 0;
  const emit: Emit<Event> = ({ value, transfer }) => {
    const event = events++;
    const received = Promise.withResolvers<ArrayBuffer | undefined>();
    unacknowledged.set(event, received);
    post({ kind: 'event', event, value }, transfer);
    return received.promise;
  };

  let handle: ReturnType<typeof start> | undefined;
  const answer = async (id: number, task: Task): Promise<void> => {
    try {
      if (handle === undefined) throw new RespaldoError('internal', 'a worker got a task before it had begun');
      const { value, transfer } = await handle(task);
      post({ kind: 'answer', id, answer: value }, transfer);
    } catch (error) {
      post({ kind: 'failure', id, error: packError(error) });
    }
  };
  const acknowledge = ({ event, error, room }: Extract<ToWorker, { kind: 'received' }>): void => {
    const received = unacknowledged.get(event);
    unacknowledged.delete(event);
    if (error === undefined) received?.resolve(room);
    else received?.reject(unpackError(error));
  };

  let last = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'derive':
        void takePart(message);
        return;
      case 'begin':
        loadNative();
        handle = start(message.data as Data, emit);
        post({ kind: 'ready' });
        return;
      case 'task':
        last = last.then(() => answer(message.id, message.task as Task));
        return;
      case 'received':
        acknowledge(message);
    }
  });
}

/** Before anything else, since who ends the thread waits for its first answer: ended within this, it ends the whole process. */
function loadNative(): void {
  try {
    requireKoffi();
  } catch {
    // Whoever wants it does without.
  }
}

async function takePart({ lanes, port }: Extract<ToWorker, { kind: 'derive' }>): Promise<void> {
  try {
    const discard = loadDiscard();
    if (discard !== undefined) await mixFor(lanes, discard);
  } catch {
    // No memory for it: the one who asked does it alone.
  } finally {
    port.close();
  }
}
