import { once } from 'node:events';
import { MessageChannel, type Worker } from 'node:worker_threads';
import type { LaneData } from '../kernel/shared-lanes.ts';
import type { ToWorker } from './message.ts';
import { startThread } from './thread.ts';

/** Bytes that have to be free for a second thread to derive a key: some times what that takes, and a container may be small. */
const ROOM = 512 * 1024 * 1024;

/**
 * Threads that start while nobody knows yet what they are to work on: loading their script takes as long as deriving a
 * key from a password. They keep no process from ending.
 */
export class Recruits {
  readonly #script: string;
  readonly #threads = new Set<Worker>();
  readonly #loans = new Map<Worker, () => Promise<void>>();

  constructor(script: URL, size: number) {
    this.#script = script.href;
    for (let n = 0; n < size; n++) this.#start(script);
  }

  /** Has one of them take part in deriving a key, another one each time, where there is room for that. */
  lend(lanes: LaneData): (() => Promise<void>) | undefined {
    const thread = [...this.#threads].find((each) => !this.#loans.has(each));
    if (thread === undefined || process.availableMemory() < ROOM) return undefined;
    const { port1: ours, port2: port } = new MessageChannel();
    const closed = once(ours, 'close');
    const message: ToWorker = { kind: 'derive', lanes, port };
    thread.postMessage(message, [port]);
    const over = async (): Promise<void> => {
      ours.ref();
      await closed;
      this.#loans.delete(thread);
    };
    this.#loans.set(thread, over);
    return over;
  }

  /** Hands over at most so many, if it is this script that they have loaded. */
  take(script: URL, most: number): Worker[] {
    if (script.href !== this.#script) return [];
    const taken = [...this.#threads].slice(0, most);
    for (const thread of taken) {
      this.#threads.delete(thread);
      thread.removeAllListeners();
      thread.ref();
    }
    return taken;
  }

  /** Ends those that nobody has taken; one that takes part in something when it is done: it may be loading native code. */
  async close(): Promise<void> {
    for (const over of this.#loans.values()) await over();
    const left = [...this.#threads];
    this.#threads.clear();
    await Promise.all(left.map((thread) => thread.terminate()));
  }

  #start(script: URL): void {
    const thread = startThread(script);
    thread.unref();
    // One that fails is of no use; why, the one that is started in its place will tell.
    const forget = (): void => void this.#threads.delete(thread);
    thread.on('error', forget);
    thread.on('exit', forget);
    this.#threads.add(thread);
  }
}
