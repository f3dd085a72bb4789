import { ID_WORDS } from './id-words.ts';

/** Half a megabyte: it stays in the processor's cache, where the index does not. */
const PLACES = 1 << 14;

/** Ids that were seen lately. Each has one place, where it is forgotten for the next one. */
export class RecentIds {
  readonly #table = new Uint32Array(PLACES * ID_WORDS);

  constructor() {
    // The place of ids that begin with 0 holds none of them yet; an empty one elsewhere cannot be mistaken for an id.
    this.#table[0] = 1;
  }

  /** @returns whether the id whose words start at `at` is remembered already */
  see(ids: Uint32Array, at: number): boolean {
    const table = this.#table;
    const place = ((ids[at] ?? 0) & (PLACES - 1)) * ID_WORDS;
    let differs = 0;
    for (let i = 0; i < ID_WORDS; i++) {
      const word = ids[at + i] ?? 0;
      differs |= (table[place + i] ?? 0) ^ word;
      table[place + i] = word;
    }
    return differs === 0;
  }
}
