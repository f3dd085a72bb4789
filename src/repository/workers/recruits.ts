import type { Worker } from 'node:worker_threads';
import { startThread } from './thread.ts';

/**
 * Threads that start while nobody knows yet what they are to work on: loading their script takes as long as deriving a
 * key from a password. They keep no process from ending.
 */
export class Recruits {
  readonly #script: string;
  readonly #threads = new Set<Worker>();

  constructor(script: URL, size: number) {
    this.#script = script.href;
    for (let n = 0; n < size; n++) this.#start(script);
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

  /** Ends those that nobody has taken. */
  async close(): Promise<void> {
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
