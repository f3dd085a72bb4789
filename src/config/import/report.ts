/** What became of each key of an imported configuration. */
export interface ReportLine {
  /** `sources.mysqldump.prod.compress` */
  readonly key: string;
  /**
   * - `taken`: is in the new one, as `text` says.
   * - `needless`: has no counterpart, for the reason that `text` says.
   * - `attention`: is not the same as it was, or is not there: somebody has to look.
   */
  readonly verdict: 'taken' | 'needless' | 'attention';
  readonly text: string;
}

/** Collects what is told of keys below a path. */
export class Report {
  readonly #lines: ReportLine[];
  readonly #path: string;

  constructor(path = '', lines: ReportLine[] = []) {
    this.#path = path;
    this.#lines = lines;
  }

  get lines(): readonly ReportLine[] {
    return this.#lines;
  }

  below(path: string): Report {
    return new Report(this.keyOf(path), this.#lines);
  }

  taken(key: string, text: string): void {
    this.#lines.push({ key: this.keyOf(key), verdict: 'taken', text });
  }

  needless(key: string, text: string): void {
    this.#lines.push({ key: this.keyOf(key), verdict: 'needless', text });
  }

  attention(key: string, text: string): void {
    this.#lines.push({ key: this.keyOf(key), verdict: 'attention', text });
  }

  /** Keys that nobody knows are told, and their values are not: they may be secrets. */
  unknown(given: object, known: readonly string[]): void {
    for (const key of Object.keys(given)) if (!known.includes(key)) this.attention(key, 'is not known: it is left out');
  }

  keyOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }
}
