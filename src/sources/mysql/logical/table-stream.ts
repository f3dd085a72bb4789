import type { DumpPart } from './dump-text.ts';

export interface DumpedTable {
  readonly kind: 'table' | 'sequence';
  readonly name: string;
}

/**
 * What one dump program writes of several databases, one database and one table after the other. Whoever leaves out a
 * table's bytes skips them.
 */
export class TableStream {
  readonly #parts: AsyncIterator<DumpPart>;
  #next: DumpPart | undefined;
  #ended = false;

  constructor(parts: AsyncIterable<DumpPart>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** The database that comes next; undefined: the dump has ended as it should. */
  async database(): Promise<string | undefined> {
    for (let part = await this.#peek(); part !== undefined; part = await this.#peek()) {
      this.#next = undefined;
      if (part.kind === 'database') return part.name;
    }
    return undefined;
  }

  /** The next table of the database; undefined: there are no more. */
  async table(): Promise<DumpedTable | undefined> {
    for (let part = await this.#peek(); part !== undefined && part.kind !== 'database'; part = await this.#peek()) {
      this.#next = undefined;
      if (part.kind !== 'bytes') return part;
    }
    return undefined;
  }

  /** Of the table that was asked for last. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    for (let part = await this.#peek(); part?.kind === 'bytes'; part = await this.#peek()) {
      this.#next = undefined;
      yield part.bytes;
    }
  }

  async close(): Promise<void> {
    await this.#parts.return?.().then(
      () => undefined,
      () => undefined,
    );
  }

  async #peek(): Promise<DumpPart | undefined> {
    if (this.#next === undefined && !this.#ended) {
      const next = await this.#parts.next();
      if (next.done === true) this.#ended = true;
      else this.#next = next.value;
    }
    return this.#next;
  }
}
