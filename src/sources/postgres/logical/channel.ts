/** Bytes on their way from somebody who reads ahead to somebody who takes them later: bounded, in order, or an error. */
export class Channel implements AsyncIterable<Uint8Array> {
  readonly #limit: number;
  readonly #onTaken: (piece: Uint8Array) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #end: { readonly error?: unknown } | undefined;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;

  /**
   * @param limit bytes that may wait before the writer has to.
   * @param onTaken told of each piece when the reader asks for the next one: nobody looks at it any more.
   */
  constructor(limit: number, onTaken: (piece: Uint8Array) => void = () => undefined) {
    this.#limit = limit;
    this.#onTaken = onTaken;
  }

  /** Resolves when there is room for more. */
  async push(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#wakeReader();
    while (this.#bytes > this.#limit && this.#end === undefined)
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
  }

  /** Nothing follows. */
  end(): void {
    this.#finish({});
  }

  /** The reader gets the error once it has taken what came before. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const pieces = this.#pieces;
      this.#pieces = [];
      for (const piece of pieces) {
        this.#bytes -= piece.length;
        this.#wakeWriter();
        yield piece;
        this.#onTaken(piece);
      }
      if (this.#pieces.length > 0) continue;
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error;
        return;
      }
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    this.#wakeReader();
    this.#wakeWriter();
  }
}

/**
 * Begins to read at once, so that the source works while somebody else is being read.
 * Whoever leaves before the end must call `stop`.
 */
export class ReadAhead {
  readonly content: AsyncIterable<Uint8Array>;
  readonly #channel: Channel;
  readonly #source: AsyncGenerator<Uint8Array>;
  readonly #pump: Promise<void>;
  #stopped = false;

  constructor(source: AsyncGenerator<Uint8Array>, limit: number) {
    this.#source = source;
    this.#channel = new Channel(limit);
    this.content = this.#channel;
    this.#pump = this.#read();
  }

  /** Ends the source, wherever it is; never throws. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#channel.end();
    await this.#pump;
  }

  async #read(): Promise<void> {
    try {
      for await (const piece of this.#source) {
        if (this.#stopped) break;
        await this.#channel.push(piece);
      }
      this.#channel.end();
    } catch (error) {
      this.#channel.fail(error);
    }
  }
}
