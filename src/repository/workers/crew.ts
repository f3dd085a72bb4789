/** A fixed number of worker threads that answer tasks. */
import type { Transferable, Worker } from 'node:worker_threads';
import { RespaldoError } from '../../errors.ts';
import { packError, unpackError, type FromWorker, type ToWorker } from './message.ts';
import type { Recruits } from './recruits.ts';
import { startThread } from './thread.ts';

export interface CrewOptions<Event> {
  readonly script: URL;
  /** Given to every worker; cloned. */
  readonly data: unknown;
  readonly size: number;
  /** Threads that were started before. */
  readonly recruits?: Recruits | undefined;
  /**
   * Deals with what a worker emits in the middle of a task; the worker's `emit` waits for it and gets its error. What
   * it returns moves to the worker: a buffer that came with the event and can be used again.
   */
  readonly onEvent?: (event: Event) => Promise<ArrayBuffer | undefined>;
}

interface Member {
  readonly thread: Worker;
  readonly waiting: Map<number, PromiseWithResolvers<unknown>>;
  readonly ready: PromiseWithResolvers<void>;
}

export class Crew<Task, Answer, Event = never> implements AsyncDisposable {
  readonly #members: Member[];
  readonly #onEvent: (event: Event) => Promise<ArrayBuffer | undefined>;
  #tasks = 0;
  #closing = false;

  private constructor(options: CrewOptions<Event>) {
    this.#onEvent = options.onEvent ?? (() => Promise.resolve(undefined));
    const { script, data, size, recruits } = options;
    const ready = recruits?.take(script, size) ?? [];
    this.#members = Array.from({ length: size }, (_, n) => this.#hire(ready[n] ?? startThread(script), data));
  }

  /** Ready to take tasks when it resolves. */
  static async start<Task, Answer, Event = never>(options: CrewOptions<Event>): Promise<Crew<Task, Answer, Event>> {
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

  /** Ends the threads at once, whatever they are doing, unless they are just beginning: they load native code then. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled(this.#members.map((member) => member.ready.promise));
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

  #hire(thread: Worker, data: unknown): Member {
    const member: Member = { thread, waiting: new Map(), ready: Promise.withResolvers<void>() };
    thread.on('message', (message: FromWorker) => {
      this.#hear(member, message);
    });
    thread.on('error', (error) => {
      this.#fail(member, error);
    });
    thread.on('exit', (code) => {
      const ended = new RespaldoError('internal', `a worker thread ended with code ${String(code)}`);
      if (this.#closing) member.ready.reject(ended);
      else this.#fail(member, ended);
    });
    // Nobody may be waiting for it yet; whoever does gets the rejection all the same.
    member.ready.promise.catch(() => undefined);
    const begin: ToWorker = { kind: 'begin', data };
    thread.postMessage(begin);
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
    let reply: ToWorker;
    let room: ArrayBuffer | undefined;
    try {
      room = await this.#onEvent(value);
      reply = { kind: 'received', event, ...(room && { room }) };
    } catch (error) {
      reply = { kind: 'received', event, error: packError(error) };
    }
    member.thread.postMessage(reply, room === undefined ? [] : [room]);
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
