import type { Finding } from '../domain/finding.ts';

/** More than anybody reads; a source or repository that is damaged all over must not fill the memory. */
const MANY = 10_000;

/** Gathers what an operation finds, and passes each finding on as it is made. */
export class Findings {
  readonly #list: Finding[] = [];
  readonly #tell: ((finding: Finding) => void) | undefined;
  #serious = false;

  constructor(tell: ((finding: Finding) => void) | undefined) {
    this.#tell = tell;
  }

  /** In the order they were made; of very many the first. */
  get list(): readonly Finding[] {
    return this.#list;
  }

  /** Whether one of them is more than a note. */
  get serious(): boolean {
    return this.#serious;
  }

  readonly add = (finding: Finding): void => {
    this.#serious ||= finding.severity !== 'note';
    if (this.#list.length < MANY) this.#list.push(finding);
    this.#tell?.(finding);
  };
}
