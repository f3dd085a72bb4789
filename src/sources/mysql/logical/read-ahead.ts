/** Bytes that may wait for whoever takes them, of all texts together, and of the one that is being taken. */
const AHEAD = 16 * 1024 * 1024;
const OWN = 4 * 1024 * 1024;

/**
 * Texts that are written by several at once and taken one after the other, in the order in which they were begun: bounded, and
 * whoever writes the one that is being taken never waits for others.
 */
export class ReadAhead {
  readonly #texts = new Set<Text>();
  /** Who waits for room, by what he writes. */
  readonly #writers = new Map<Text, () => void>();
  #waiting = 0;

  /** The next text, to be written. */
  begin(): Text {
    const text = new Text((bytes) => this.#count(text, bytes));
    this.#texts.add(text);
    return text;
  }

  /** Whether more of a text may be written now. */
  hasRoom(text: Text): boolean {
    const [first] = this.#texts;
    return text === first ? text.waiting < OWN : this.#waiting < AHEAD;
  }

  /** Once, when there is room. */
  whenRoom(text: Text, wake: () => void): void {
    this.#writers.set(text, wake);
  }

  /** It has been taken, or nobody wants it. */
  drop(text: Text): void {
    if (!this.#texts.delete(text)) return;
    this.#waiting -= text.waiting;
    text.discard();
    this.#wake();
  }

  #count(text: Text, bytes: number): void {
    if (!this.#texts.has(text)) return;
    this.#waiting += bytes;
    if (bytes < 0) this.#wake();
  }

  #wake(): void {
    for (const [text, wake] of this.#writers)
      if (this.hasRoom(text)) {
        this.#writers.delete(text);
        wake();
      }
  }
}

/** One of them. */
export class Text implements AsyncIterable<Uint8Array> {
  /** Bytes that were written and not taken. */
  waiting = 0;
  readonly #onChange: (bytes: number) => void;
  #pieces: Uint8Array[] = [];
  #isUnwanted = false;
  #end: { readonly error?: unknown } | undefined;
  #wakeReader: () => void = () => undefined;

  constructor(onChange: (bytes: number) => void) {
    this.#onChange = onChange;
  }

  push(piece: Uint8Array): void {
    if (this.#isUnwanted) return;
    this.#pieces.push(piece);
    this.#change(piece.length);
    this.#wakeReader();
  }

  end(): void {
    this.#end ??= {};
    this.#wakeReader();
  }

  /** Whoever takes it gets the error after what came before. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wakeReader();
  }

  /** What was written, and what still will be, goes. */
  discard(): void {
    this.#isUnwanted = true;
    this.#pieces = [];
    this.waiting = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece;
        this.#change(-piece.length);
      } else if (this.#end === undefined) await new Promise<void>((resolve) => (this.#wakeReader = resolve));
      else if ('error' in this.#end) throw this.#end.error;
      else return;
    }
  }

  #change(bytes: number): void {
    this.waiting += bytes;
    this.#onChange(bytes);
  }
}
