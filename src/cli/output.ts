import { styleText } from 'node:util';
import { harmless } from './printable.ts';

export type Style = Parameters<typeof styleText>[0];

export interface OutputMode {
  /** Messages for programs instead of people: restic's shapes where restic has the verb. */
  readonly json: boolean;
  /** Results, warnings and errors only. */
  readonly quiet: boolean;
  /** 0, 1 (`-v`), 2 (`-vv`). */
  readonly verbosity: number;
  readonly color: boolean;
}

/** Written at once when this many characters have been collected. */
const FLUSH_AT = 32 * 1024;

/**
 * Where a verb prints. Results and narration go to standard output; warnings, errors and the live status line to
 * standard error. A reader that goes away (`respaldo ls | head`) is no error: what follows is dropped.
 */
export class Output {
  readonly mode: OutputMode;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  #pending = '';
  #flushing: NodeJS.Immediate | undefined;
  #failure: Error | undefined;
  #status = '';

  constructor(
    mode: OutputMode,
    stdout: NodeJS.WriteStream = process.stdout,
    stderr: NodeJS.WriteStream = process.stderr,
  ) {
    this.mode = mode;
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on('error', (error: Error) => {
      this.#failure ??= error;
    });
    // Nobody reads the warnings any more: the work goes on.
    stderr.on('error', () => undefined);
  }

  /** Whether standard output takes nothing any more: a listing may stop. */
  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** Why standard output failed, where the reason is not just that its reader went away. */
  get failure(): Error | undefined {
    const gone = this.#failure !== undefined && 'code' in this.#failure && this.#failure.code === 'EPIPE';
    return gone ? undefined : this.#failure;
  }

  /** Whether a person watches: a live status line, questions. */
  get interactive(): boolean {
    return this.#stderr.isTTY && !this.mode.json && !this.mode.quiet;
  }

  /** What was asked for: a table, a listing, an id. Not under `--json`. */
  result(text: string): void {
    if (!this.mode.json) this.#write(`${text}\n`);
  }

  /** What is being done and what came of it. Not under `--json` and `--quiet`. */
  note(text: string): void {
    if (!this.mode.json && !this.mode.quiet) this.#write(`${text}\n`);
  }

  /** More of it, under `--verbose`; from level 2 on under `-vv`. */
  detail(text: string, level = 1): void {
    if (this.mode.verbosity >= level) this.note(text);
  }

  /** One message for programs, on a line of its own. Only under `--json`. */
  json(value: unknown): void {
    if (this.mode.json) this.#write(`${JSON.stringify(value)}\n`);
  }

  /** A piece of one message that is told while it is made. Only under `--json`. */
  jsonText(piece: string): void {
    if (this.mode.json) this.#write(piece);
  }

  /** As {@link json}, on standard error: restic reports errors there. */
  jsonError(value: unknown): void {
    if (this.mode.json) this.#writeError(`${JSON.stringify(value)}\n`);
  }

  /** Something a person should know. Not under `--json`: a verb sends its own message there. */
  warn(text: string): void {
    if (!this.mode.json) this.#writeError(`${this.styleError('yellow', 'warning:')} ${harmless(text)}\n`);
  }

  /** What went wrong. Not under `--json`, as with {@link warn}. */
  alarm(text: string): void {
    if (!this.mode.json) this.#writeError(`${this.styleError('red', 'respaldo:')} ${harmless(text)}\n`);
  }

  /** An error's lines as they are. */
  error(text: string): void {
    this.#writeError(`${text}\n`);
  }

  /** Shows `text` as the last line of the terminal until the next call; an empty one takes it away. */
  status(text: string): void {
    if (text === this.#status) return;
    this.flush();
    this.#stderr.write(`\r\u001b[2K${text}`);
    this.#status = text;
  }

  /** Columns of the terminal that shows the status line. */
  get columns(): number {
    return this.#stderr.columns || 80;
  }

  /** Columns for results; no end of them where no terminal shows them. */
  get room(): number {
    return this.#stdout.isTTY ? this.#stdout.columns || 80 : Infinity;
  }

  style(format: Style, text: string): string {
    return this.mode.color ? styleText(format, text, { stream: this.#stdout }) : text;
  }

  styleError(format: Style, text: string): string {
    return this.mode.color ? styleText(format, text, { stream: this.#stderr }) : text;
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

  /** Waits until everything was taken; afterwards {@link failure} tells whether it was. */
  async end(): Promise<void> {
    this.status('');
    await this.bytes(new Uint8Array());
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

  #write(text: string): void {
    if (this.closed) return;
    this.#pending += text;
    if (this.#pending.length >= FLUSH_AT) this.flush();
    else this.#flushing ??= setImmediate(() => this.flush());
  }

  #writeError(text: string): void {
    this.flush();
    this.#aroundStatus(() => this.#stderr.write(text));
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
