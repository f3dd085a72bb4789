/** Where a program's standard input goes. */
export interface InputPipe {
  /** Resolves when the piece has left and may be overwritten. @returns false if nobody reads any more. */
  write(piece: Uint8Array): Promise<boolean>;
  /** Says that this was all. Never throws: what a broken pipe means shows in how the program ends. */
  end(): void;
}

/** Feeds a program's standard input, a piece at a time: the next one is asked for when the pipe has taken the last. */
export class Input {
  readonly #pieces: AsyncIterator<Uint8Array> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stopped = false;

  /**
   * @param onFailure told when the pieces themselves fail: the input is then *not* closed, so that the program cannot
   * take what it got for all.
   */
  constructor(pieces: AsyncIterable<Uint8Array> | undefined, pipe: InputPipe | undefined, onFailure: () => void) {
    this.#pieces = pieces?.[Symbol.asyncIterator]();
    if (pipe === undefined) return;
    this.#feed(pipe).catch((error: unknown) => {
      this.#failure = { error };
      onFailure();
    });
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Asks for no more pieces, and lets their source clean up. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#pieces?.return?.().catch(() => undefined);
  }

  async #feed(pipe: InputPipe): Promise<void> {
    for (;;) {
      const next = await this.#pieces?.next();
      if (this.#stopped) return;
      if (next === undefined || next.done === true) break;
      // A program that wants no more input may well succeed: its exit code decides.
      if (!(await pipe.write(next.value))) {
        this.stop();
        return;
      }
    }
    this.#stopped = true;
    pipe.end();
  }
}
