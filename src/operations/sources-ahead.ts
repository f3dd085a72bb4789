import type { Finding } from '../domain/finding.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Source, SourceIo } from '../sources/source.ts';
import { Findings } from './findings.ts';

/**
 * Sources that are looked at while the places are still being opened that they are going to be written to. What their checks
 * have seen is known to whoever goes on by the same `io`.
 */
export class SourcesAhead implements AsyncDisposable {
  readonly findings: Findings;
  readonly io: SourceIo;
  readonly #sources: ReadonlySet<Source>;
  readonly #unwanted = new AbortController();
  readonly #checked: Promise<readonly Finding[]>;

  /** @param sources those that are going to be read, whatever else there is of them */
  constructor(
    sources: readonly Source[],
    { runtime, onFinding }: { readonly runtime: Runtime; readonly onFinding?: (finding: Finding) => void },
    signal: AbortSignal,
  ) {
    this.findings = new Findings(onFinding);
    this.io = {
      runtime,
      signal: AbortSignal.any([signal, this.#unwanted.signal]),
      report: this.findings.add,
      expect: () => undefined,
    };
    this.#sources = new Set(sources);
    this.#checked = this.#check();
    // Whoever asks is told.
    this.#checked.catch(() => undefined);
  }

  has(source: Source): boolean {
    return this.#sources.has(source);
  }

  /** What would stop one of them, or should be known of it. @throws RespaldoError as `Source.check` */
  checked(): Promise<readonly Finding[]> {
    return this.#checked;
  }

  /** Ends the looking, where nobody has waited for it; never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwanted.abort();
    await this.#checked.catch(() => undefined);
  }

  async #check(): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    for (const source of this.#sources) found.push(...(await source.check(this.io)));
    return found;
  }
}
