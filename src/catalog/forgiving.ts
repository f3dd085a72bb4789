import type { Catalog, NewRun, RunOutcome, RunQuery, RunRecord } from './catalog.ts';

/** A catalog that is given up at its first failure: it then remembers nothing, and nobody is stopped by it. */
export class ForgivingCatalog implements Catalog {
  #inner: Catalog | undefined;
  readonly #onFailure: (error: unknown) => void;

  /** @param inner absent: given up from the start. */
  constructor(inner: Catalog | undefined, onFailure: (error: unknown) => void) {
    this.#inner = inner;
    this.#onFailure = onFailure;
  }

  begin(run: NewRun): Promise<number> {
    return this.#try(0, (inner) => inner.begin(run));
  }

  finish(id: number, outcome: RunOutcome): Promise<void> {
    return this.#try(undefined, (inner) => inner.finish(id, outcome));
  }

  runs(query: RunQuery): Promise<readonly RunRecord[]> {
    return this.#try([], (inner) => inner.runs(query));
  }

  close(): void {
    this.#inner?.close();
    this.#inner = undefined;
  }

  async #try<T>(otherwise: T, work: (inner: Catalog) => Promise<T>): Promise<T> {
    if (this.#inner === undefined) return otherwise;
    try {
      return await work(this.#inner);
    } catch (error) {
      this.#giveUp(error);
      return otherwise;
    }
  }

  /** Tells of the first failure alone. */
  #giveUp(error: unknown): void {
    const inner = this.#inner;
    if (inner === undefined) return;
    this.#inner = undefined;
    this.#onFailure(error);
    inner.close();
  }
}
