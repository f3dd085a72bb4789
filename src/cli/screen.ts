import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Written at once when this many characters have been collected. */
const FLUSH_AT = 32 * 1024;

/** Standard output and standard error, and between them the live status line. */
export class Screen {
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  #pending = '';
  #flushing: NodeJS.Immediate | undefined;
  #failure: Error | undefined;
  #status = '';

  constructor(stdout: NodeJS.WriteStream = process.stdout, stderr: NodeJS.WriteStream = process.stderr) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on('error', (error: Error) => {
      this.#failure ??= error;
    });
    // Nobody reads the warnings any more: the work goes on.
    stderr.on('error', () => undefined);
  }

  /** Whether standard output takes nothing any more. */
  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** Why standard output failed, where the reason is not just that its reader went away. */
  get failure(): Error | undefined {
    const gone = this.#failure !== undefined && 'code' in this.#failure && this.#failure.code === 'EPIPE';
    return gone ? undefined : this.#failure;
  }

  /** Whether somebody may see standard error. */
  get isTerminal(): boolean {
    return this.#stderr.isTTY;
  }

  /** Columns of the terminal that shows the status line. */
  get columns(): number {
    return this.#stderr.columns || 80;
  }

  /** Columns for results; no end of them where no terminal shows them. */
  get room(): number {
    return this.#stdout.isTTY ? this.#stdout.columns || 80 : Infinity;
  }

  style(format: Style, text: string, where: 'stdout' | 'stderr'): string {
    return styleText(format, text, { stream: where === 'stdout' ? this.#stdout : this.#stderr });
  }

  /** To standard output, a little later. */
  write(text: string): void {
    if (this.closed) return;
    this.#pending += text;
    if (this.#pending.length >= FLUSH_AT) this.flush();
    else this.#flushing ??= setImmediate(() => this.flush());
  }

  /** To standard error, at once. */
  writeError(text: string): void {
    this.flush();
    this.#aroundStatus(() => this.#stderr.write(text));
  }

  /** Shows `text` as the last line of the terminal until the next call; an empty one takes it away. */
  status(text: string): void {
    if (text === this.#status) return;
    this.flush();
    this.#stderr.write(`\r\u001b[2K${text}`);
    this.#status = text;
  }

  /** A piece of a file, as it is. Resolves when the reader can take more. */
  async bytes(piece: Uint8Array): Promise<void> {
    this.flush();
    // A callback with an error means that the piece did not arrive; `closed` says so from then on.
    await new Promise<void>((resolve) =>
      this.#stdout.write(piece, (error) => {
        if (error) this.#failure ??= error;
        resolve();
      }),
    );
  }

  /** Hands on what has been collected. */
  flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const text = this.#pending;
    this.#pending = '';
    if (text === '' || this.closed) return;
    this.#aroundStatus(() => this.#stdout.write(text));
  }

  /** Lines are printed above the status line, which is then drawn again. */
  #aroundStatus(print: () => void): void {
    const status = this.#status;
    this.#erase();
    print();
    if (status !== '') this.status(status);
  }

  #erase(): void {
    if (this.#status !== '') this.#stderr.write('\r\u001b[2K');
    this.#status = '';
  }
}
