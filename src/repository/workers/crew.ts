/** A fixed number of worker threads that answer tasks. */
import { availableParallelism } from 'node:os';
import { Worker, type ResourceLimits, type Transferable } from 'node:worker_threads';
import { RespaldoError } from '../../errors.ts';
import { returnLargeBuffers } from './memory.ts';
import { packError, unpackError, type FromWorker, type ToWorker } from './message.ts';

/** More threads than this cost memory and win little: the store and the disk are the limit then. */
const MOST_WORKERS = 4;

export function usefulWorkers(): number {
  return Math.max(1, Math.min(availableParallelism(), MOST_WORKERS));
}

/** The worker script `name` beside the module at `importMetaUrl`: `.ts` in a checkout, `.js` once compiled. */
export function workerScript(importMetaUrl: string, name: string): URL {
  return new URL(`./${name}.${importMetaUrl.endsWith('.ts') ? 'ts' : 'js'}`, importMetaUrl);
}

export interface CrewOptions<Event> {
  readonly script: URL;
  /** Given to every worker; cloned. */
  readonly data: unknown;
  readonly size: number;
  /** Deals with what a worker emits in the middle of a task; the worker's `emit` waits for it and gets its error. */
  readonly onEvent?: (event: Event) => Promise<void>;
}

/**
 * Workers hold their large data outside the heap. A small young generation, and a bound that makes the collector work
 * in smaller steps, keep what garbage takes meanwhile to some tens of megabytes a thread.
 */
const HEAP_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 512 };

interface Member {
  readonly thread: Worker;
  readonly waiting: Map<number, PromiseWithResolvers<unknown>>;
  readonly ready: PromiseWithResolvers<void>;
}

export class Crew<Task, Answer, Event = never> implements AsyncDisposable {
  readonly #members: Member[];
  readonly #onEvent: (event: Event) => Promise<void>;
  #tasks = 0;
  #closing = false;

  private constructor(options: CrewOptions<Event>) {
    this.#onEvent = options.onEvent ?? (() => Promise.resolve());
    this.#members = Array.from({ length: options.size }, () => this.#hire(options));
  }

  /** Ready to take tasks when it resolves. */
  static async start<Task, Answer, Event = never>(options: CrewOptions<Event>): Promise<Crew<Task, Answer, Event>> {
    returnLargeBuffers();
    const crew = new Crew<Task, Answer, Event>(options);
    try {
      await Promise.all(crew.#members.map((member) => member.ready.promise));
      return crew;
    } catch (error) {
      await crew.close();
      throw error;
    }
  }

  get size(): number {
    return this.#members.length;
  }

  /** Tasks given and not yet answered. */
  get outstanding(): number {
    return this.#members.reduce((sum, member) => sum + member.waiting.size, 0);
  }

  /** Gives the task to the least busy worker. Rejects with the worker's error. */
  run(task: Task, transfer: readonly Transferable[] = []): Promise<Answer> {
    const member = this.#members.reduce((best, each) => (each.waiting.size < best.waiting.size ? each : best));
    return this.#give(member, task, transfer);
  }

  /** Gives the task to every worker, behind what each has to do already. */
  all(task: Task): Promise<readonly Answer[]> {
    return Promise.all(this.#members.map((member) => this.#give(member, task, [])));
  }

  /** Ends the threads at once, whatever they are doing. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#members.map((member) => member.thread.terminate()));
    for (const member of this.#members) this.#fail(member, new RespaldoError('cancelled', 'the worker was stopped'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #give(member: Member, task: Task, transfer: readonly Transferable[]): Promise<Answer> {
    if (this.#closing) return Promise.reject(new RespaldoError('cancelled', 'the workers were stopped'));
    const id = this.#tasks++;
    const answered = Promise.withResolvers<unknown>();
    member.waiting.set(id, answered);
    const message: ToWorker = { kind: 'task', id, task };
    member.thread.postMessage(message, transfer);
    return answered.promise as Promise<Answer>;
  }

  #hire(options: CrewOptions<Event>): Member {
    const thread = new Worker(options.script, { workerData: options.data, resourceLimits: HEAP_LIMITS });
    const member: Member = { thread, waiting: new Map(), ready: Promise.withResolvers<void>() };
    thread.on('message', (message: FromWorker) => {
      this.#hear(member, message);
    });
    thread.on('error', (error) => {
      this.#fail(member, error);
    });
    thread.on('exit', (code) => {
      if (!this.#closing)
        this.#fail(member, new RespaldoError('internal', `a worker thread ended with code ${String(code)}`));
    });
    // Nobody may be waiting for it yet; whoever does gets the rejection all the same.
    member.ready.promise.catch(() => undefined);
    return member;
  }

  #hear(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        member.ready.resolve();
        return;
      case 'answer':
        this.#settle(member, message.id)?.resolve(message.answer);
        return;
      case 'failure':
        this.#settle(member, message.id)?.reject(unpackError(message.error));
        return;
      case 'event':
        void this.#deal(member, message.event, message.value as Event);
    }
  }

  async #deal(member: Member, event: number, value: Event): Promise<void> {
    let reply: ToWorker = { kind: 'received', event };
    try {
      await this.#onEvent(value);
    } catch (error) {
      reply = { kind: 'received', event, error: packError(error) };
    }
    member.thread.postMessage(reply);
  }

  #settle(member: Member, id: number): PromiseWithResolvers<unknown> | undefined {
    const answered = member.waiting.get(id);
    member.waiting.delete(id);
    return answered;
  }

  #fail(member: Member, error: unknown): void {
    member.ready.reject(error);
    for (const answered of member.waiting.values()) answered.reject(error);
    member.waiting.clear();
  }
}
