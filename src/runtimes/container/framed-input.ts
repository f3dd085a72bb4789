import type { InputPipe } from '../input.ts';

/** `dd` takes a piece into its memory as a whole. Bytes. */
const MAX_PIECE = 1 << 20;

/** Input whose end is told in words, as the launcher's `framed` mode understands them. */
export class FramedInput implements InputPipe {
  readonly #pipe: InputPipe;
  #over = false;

  constructor(pipe: InputPipe) {
    this.#pipe = pipe;
  }

  async write(piece: Uint8Array): Promise<boolean> {
    for (let at = 0; at < piece.length; at += MAX_PIECE) {
      const part = piece.subarray(at, at + MAX_PIECE);
      if (this.#over || !(await this.#pipe.write(Buffer.concat([Buffer.from(`${part.length}\n`), part])))) return false;
    }
    return !this.#over;
  }

  /** Also where the program wants no more: the script that feeds it still waits. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    void this.#pipe.write(Buffer.from('0\n'));
  }
}
