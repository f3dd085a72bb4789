/** What a client program reads: pushed as it comes. */
export class ClientInput implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  push(text: string): void {
    this.#waiting.push(Buffer.from(text));
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
