import { fitted } from './fitted.ts';
import { harmless } from './printable.ts';
import { Screen, type Style } from './screen.ts';

export type { Style };

export interface OutputMode {
  /** Messages for programs instead of people: restic's shapes where restic has the verb. */
  readonly json: boolean;
  /** Results, warnings and errors only. */
  readonly quiet: boolean;
  /** 0, 1 (`-v`), 2 (`-vv`). */
  readonly verbosity: number;
  readonly color: boolean;
}

/**
 * Where a verb prints. Results and narration go to standard output; warnings, errors and the live status line to
 * standard error. A reader that goes away (`respaldo ls | head`) is no error: what follows is dropped.
 */
export class Output {
  readonly mode: OutputMode;
  readonly #screen: Screen;
  /** Who speaks, where several do at once. */
  readonly #voice: Voice | undefined;

  constructor(mode: OutputMode, screen: Screen = new Screen(), voice?: Voice) {
    this.mode = mode;
    this.#screen = screen;
    this.#voice = voice;
  }

  /**
   * The same for one of several who speak at once: each line begins with the name, and the status line belongs to all of
   * them. Programs get no messages of it: they are told of all together.
   */
  of(name: string, statuses: Statuses): Output {
    return new Output(this.mode, this.#screen, { name, statuses });
  }

  /** Whether standard output takes nothing any more: a listing may stop. */
  get closed(): boolean {
    return this.#screen.closed;
  }

  /** Why standard output failed, where the reason is not just that its reader went away. */
  get failure(): Error | undefined {
    return this.#screen.failure;
  }

  /** Whether a person watches: a live status line, questions. */
  get interactive(): boolean {
    return this.#screen.isTerminal && !this.mode.json && !this.mode.quiet;
  }

  /** What was asked for: a table, a listing, an id. Not under `--json`. */
  result(text: string): void {
    if (!this.mode.json) this.#screen.write(this.#said(text));
  }

  /** What is being done and what came of it. Not under `--json` and `--quiet`. */
  note(text: string): void {
    if (!this.mode.json && !this.mode.quiet) this.#screen.write(this.#said(text));
  }

  /** More of it, under `--verbose`; from level 2 on under `-vv`. */
  detail(text: string, level = 1): void {
    if (this.mode.verbosity >= level) this.note(text);
  }

  /** One message for programs, on a line of its own. Only under `--json`. */
  json(value: unknown): void {
    if (this.mode.json && this.#voice === undefined) this.#screen.write(`${JSON.stringify(value)}\n`);
  }

  /** A piece of one message that is told while it is made. Only under `--json`. */
  jsonText(piece: string): void {
    if (this.mode.json) this.#screen.write(piece);
  }

  /** As {@link json}, on standard error: restic reports errors there. */
  jsonError(value: object): void {
    const plan = this.#voice?.name;
    if (this.mode.json) this.#screen.writeError(`${JSON.stringify(plan === undefined ? value : { ...value, plan })}\n`);
  }

  /** Something a person should know. Not under `--json`: a verb sends its own message there. */
  warn(text: string): void {
    if (!this.mode.json) this.error(`${this.styleError('yellow', 'warning:')} ${harmless(text)}`);
  }

  /** What went wrong. Not under `--json`, as with {@link warn}. */
  alarm(text: string): void {
    if (!this.mode.json) this.error(`${this.styleError('red', 'respaldo:')} ${harmless(text)}`);
  }

  /** An error's lines as they are. */
  error(text: string): void {
    this.#screen.writeError(this.#said(text));
  }

  /** Shows `text` as the last line of the terminal until the next call; an empty one takes it away. */
  status(text: string): void {
    const line = this.#voice?.statuses.with(this.#voice.name, text);
    this.#screen.status(line === undefined ? text : fitted(line, this.#screen.columns - 1));
  }

  /** Columns of the status line. */
  get columns(): number {
    const { columns } = this.#screen;
    return this.#voice?.statuses.share(this.#voice.name, columns) ?? columns;
  }

  /** Columns for results; no end of them where no terminal shows them. */
  get room(): number {
    return this.#screen.room;
  }

  style(format: Style, text: string): string {
    return this.mode.color ? this.#screen.style(format, text, 'stdout') : text;
  }

  styleError(format: Style, text: string): string {
    return this.mode.color ? this.#screen.style(format, text, 'stderr') : text;
  }

  /** A piece of a file, as it is. Resolves when the reader can take more. */
  bytes(piece: Uint8Array): Promise<void> {
    return this.#screen.bytes(piece);
  }

  /** Waits until everything was taken; afterwards {@link failure} tells whether it was. */
  async end(): Promise<void> {
    this.status('');
    await this.bytes(new Uint8Array());
  }

  /** Hands on what has been collected. */
  flush(): void {
    this.#screen.flush();
  }

  #said(text: string): string {
    const name = this.#voice?.name;
    if (name === undefined) return `${text}\n`;
    return text
      .split('\n')
      .map((line) => `${name}: ${line}\n`)
      .join('');
  }
}

interface Voice {
  readonly name: string;
  readonly statuses: Statuses;
}

/** One status line that several share. */
export class Statuses {
  readonly #texts = new Map<string, string>();

  /** The line, now that one of them says this. */
  with(name: string, text: string): string {
    if (text === '') this.#texts.delete(name);
    else this.#texts.set(name, `${name} ${text}`);
    return [...this.#texts.values()].join('  ');
  }

  /** Of so many columns those that one of them may use for its text. */
  share(name: string, columns: number): number {
    const others = this.#texts.has(name) ? this.#texts.size : this.#texts.size + 1;
    return Math.max(12, Math.floor(columns / others) - name.length - 3);
  }
}
