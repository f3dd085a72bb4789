/** Totals of local trees, counted by a thread of their own while the walk goes on. */
import { resolve } from 'node:path';
import type { LocalTree } from '../../domain/entry.ts';
import { Crew } from '../workers/crew.ts';
import { workerScript } from '../workers/thread.ts';
import type { ScanTask, ScanTotals } from './scan-worker.ts';

export class Scan implements AsyncDisposable {
  #crew: Promise<Crew<ScanTask, ScanTotals, ScanTotals>> | undefined;
  #done: ScanTotals = { files: 0, bytes: 0 };
  #current: ScanTotals = { files: 0, bytes: 0 };

  get totals(): ScanTotals {
    return { files: this.#done.files + this.#current.files, bytes: this.#done.bytes + this.#current.bytes };
  }

  /** Begins to count; whoever asks for `totals` sees them grow. Failing only leaves them short. */
  begin(tree: LocalTree): void {
    this.#count(tree).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const crew = await this.#crew?.catch(() => undefined);
    await crew?.close();
  }

  async #count(tree: LocalTree): Promise<void> {
    this.#crew ??= Crew.start<ScanTask, ScanTotals, ScanTotals>({
      script: workerScript(import.meta.url, 'scan-worker'),
      data: undefined,
      size: 1,
      onEvent: (totals) => {
        this.#current = totals;
        return Promise.resolve(undefined);
      },
    });
    const crew = await this.#crew;
    const targets = tree.targets.map((target) => resolve(tree.workingDirectory, target));
    const totals = await crew.run({ targets, selection: tree.selection });
    this.#done = { files: this.#done.files + totals.files, bytes: this.#done.bytes + totals.bytes };
    this.#current = { files: 0, bytes: 0 };
  }
}
