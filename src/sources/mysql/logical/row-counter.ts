const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const QUOTE = 0x27;
const OPEN = 0x28;
const SEMICOLON = 0x3b;

/** Counts the rows of an INSERT. In none of its values is there a line break: they are escaped. */
export class RowCounter {
  count = 0;
  /** The last byte was a semicolon: a line break after it ends the statement. */
  endsInSemicolon = false;
  readonly #isByLine: boolean;
  #isFirst = true;
  #isInText = false;
  #isEscaped = false;

  /** @param isByLine each row has a line of its own, as MariaDB's newer programs write them. */
  constructor(isByLine: boolean) {
    this.#isByLine = isByLine;
  }

  take(bytes: Buffer, from: number, to: number): void {
    if (to <= from) return;
    if (this.#isByLine) this.#countLines(bytes, from, to);
    else this.#countParentheses(bytes, from, to);
    this.endsInSemicolon = bytes[to - 1] === SEMICOLON;
  }

  /** The first line break is that after VALUES. */
  #countLines(bytes: Buffer, from: number, to: number): void {
    let lines = 0;
    for (let at = bytes.indexOf(NEWLINE, from); at >= 0 && at < to; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
    if (lines === 0) return;
    this.count += this.#isFirst ? lines - 1 : lines;
    this.#isFirst = false;
  }

  #countParentheses(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const byte = bytes[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === QUOTE) this.#isInText = !this.#isInText;
      else if (this.#isInText) this.#isEscaped = byte === BACKSLASH;
      else if (byte === OPEN) this.count += 1;
    }
  }
}
