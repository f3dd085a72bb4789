/** Hands directories to the workers, several in one message: most are small, and a message costs more than reading one. */
import { RespaldoError } from '../../errors.ts';
import type { Crew } from '../workers/crew.ts';
import type { Answer, DirectoryAnswer, DirectoryTask, FilledPack, ListingAnswer, Task } from './protocol.ts';

/** Batches that each worker has at once: one in work, one waiting, so that none is idle while the main thread is busy. */
const BATCHES_PER_WORKER = 2;
const MOST_IN_BATCH = 32;

type Answered = DirectoryAnswer | ListingAnswer;

interface Waiting {
  /** Made when its turn comes: a parent's tree is loaded no sooner. */
  readonly prepare: () => Promise<DirectoryTask>;
  readonly answered: PromiseWithResolvers<Answered>;
}

/** Who came last goes first, so that a walk goes deep before it goes wide. */
export class DirectoryQueue {
  readonly #crew: Crew<Task, Answer, FilledPack>;
  #waiting: Waiting[] = [];
  #batches = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(crew: Crew<Task, Answer, FilledPack>) {
    this.#crew = crew;
  }

  read(prepare: () => Promise<DirectoryTask>): Promise<Answered> {
    const answered = Promise.withResolvers<Answered>();
    this.#waiting.push({ prepare, answered });
    // Once all who ask in this turn have asked, so that they travel together.
    if (this.#waiting.length === 1)
      setImmediate(() => {
        this.#dispatch();
      });
    return answered.promise;
  }

  #dispatch(): void {
    if (this.#failure !== undefined) {
      for (const { answered } of this.#waiting) answered.reject(this.#failure.error);
      this.#waiting = [];
    }
    const most = this.#crew.size * BATCHES_PER_WORKER;
    while (this.#waiting.length > 0 && this.#batches < most) {
      const size = Math.min(MOST_IN_BATCH, Math.ceil(this.#waiting.length / most));
      const batch = this.#waiting.splice(-size);
      this.#batches += 1;
      void this.#send(batch).finally(() => {
        this.#batches -= 1;
        this.#dispatch();
      });
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const tasks = await Promise.all(batch.map(({ prepare }) => prepare()));
      const answer = await this.#crew.run({ kind: 'directories', tasks });
      if (answer.kind !== 'directories') throw new RespaldoError('internal', `unexpected answer ${answer.kind}`);
      for (const [at, each] of answer.answers.entries()) batch[at]?.answered.resolve(each);
      // A worker that had enough to do gives the rest back, for whoever is free.
      this.#waiting.push(...batch.slice(answer.answers.length));
    } catch (error) {
      this.#failure ??= { error };
      for (const { answered } of batch) answered.reject(error);
    }
  }
}
