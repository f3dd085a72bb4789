import type { DumpPart } from './dump-text.ts';

import type { DumpedTable, TableSource } from './table-source.ts';

/** What one dump program writes of several databases. */
export class TableStream implements TableSource {
  readonly #parts: AsyncIterator<DumpPart>;
  #next: DumpPart | undefined;
  #ended = false;

  constructor(parts: AsyncIterable<DumpPart>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** See {@link TableSource}; undefined only when the dump has ended as it should. */
  async database(): Promise<string | undefined> {
    for (let part = await this.#peek(); part !== undefined; part = await this.#peek()) {
      this.#next = undefined;
      if (part.kind === 'database') return part.name;
    }
    return undefined;
  }

  async table(): Promise<DumpedTable | undefined> {
    for (let part = await this.#peek(); part !== undefined && part.kind !== 'database'; part = await this.#peek()) {
      this.#next = undefined;
      if (part.kind !== 'bytes') return part;
    }
    return undefined;
  }

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
