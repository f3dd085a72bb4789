/** Lets a bounded number in at once; who came last goes first, so that a walk goes deep before it goes wide. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else
      await new Promise<void>((enter) => {
        this.#waiting.push(enter);
      });
    try {
      return await work();
    } finally {
      const next = this.#waiting.pop();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** `work` on every item, at most `most` at once; results in the order of the items. Rejects with the first failure. */
export async function mapBounded<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const drain = async (): Promise<void> => {
    for (const [at, item] of queue) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, drain));
  return results;
}
