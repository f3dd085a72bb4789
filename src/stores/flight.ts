/**
 * Tasks of one piece of work on their way, a bounded number at once. The first that fails ends all of them: `signal` is
 * aborted, and whoever begins or awaits more is told why.
 */
export class Flight {
  /** Aborted with the work's own signal, or when a task has failed. */
  readonly signal: AbortSignal;
  readonly #ended = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #count = 0;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#ended.signal]);
  }

  /** Begins a task as soon as fewer than `most` are on their way. For one caller at a time. */
  async begin(most: number, task: () => Promise<void>): Promise<void> {
    await this.#until(() => this.#count < most);
    this.#count += 1;
    task().then(
      () => this.#land(),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#ended.abort(error);
        this.#land();
      },
    );
  }

  /** Waits for all of them. */
  landed(): Promise<void> {
    return this.#until(() => this.#count === 0);
  }

  /** Ends what is on its way, and waits until nothing is. */
  async end(): Promise<void> {
    this.#ended.abort();
    while (this.#count > 0) await this.#oneLanded();
  }

  /** What a task has failed with, or else `error`: the first cause of what came to an end. */
  causeOf(error: unknown): unknown {
    return this.#failure === undefined ? error : this.#failure.error;
  }

  async #until(ready: () => boolean): Promise<void> {
    while (this.#failure === undefined && !ready()) await this.#oneLanded();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #oneLanded(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #land(): void {
    this.#count -= 1;
    this.#wake();
  }
}
