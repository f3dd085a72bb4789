import type { Finding } from '../../domain/finding.ts';
import { RespaldoError } from '../../errors.ts';
import { showPath } from '../filesystem/path.ts';

/** Named in the final error's message; all of them are findings. */
const NAMED = 10;

export type Cause = 'damage' | 'target';

/** Collects what a restore noticed, and what it could not restore. */
export class Losses {
  readonly findings: Finding[] = [];
  readonly #lost = new Map<string, { readonly cause: Cause; readonly message: string }>();
  readonly #onFinding: ((finding: Finding) => void) | undefined;

  constructor(onFinding: ((finding: Finding) => void) | undefined) {
    this.#onFinding = onFinding;
  }

  get any(): boolean {
    return this.#lost.size > 0;
  }

  /** Why the entry is missing; undefined if it is not. */
  causeOf(path: string): Cause | undefined {
    return this.#lost.get(path)?.cause;
  }

  /** An entry that is missing from the target now, `why` in words. `damage`: because the repository is damaged. */
  lose(path: string, cause: Cause, why: string): void {
    const message = `${showPath(path)}: ${why}`;
    this.#lost.set(path, { cause, message });
    this.#tell({
      severity: cause === 'damage' ? 'damage' : 'incomplete',
      code: cause === 'damage' ? 'entry-damaged' : 'entry-refused',
      message: `not restored: ${message}`,
      subject: path,
    });
  }

  /** An entry that is there, but not quite as it was. */
  blemish(path: string, what: string): void {
    this.#tell({
      severity: 'incomplete',
      code: 'metadata-refused',
      message: `${showPath(path)}: could not set ${what}`,
      subject: path,
    });
  }

  note(path: string, code: string, what: string): void {
    this.#tell({ severity: 'note', code, message: `${showPath(path)}: ${what}`, subject: path });
  }

  /** @throws RespaldoError `repository-damaged`, `target-refused` that names what is missing */
  throwIfAny(snapshot: string, target: string): void {
    if (!this.any) return;
    const lost = [...this.#lost.values()];
    const damaged = lost.some(({ cause }) => cause === 'damage');
    const named = lost.slice(0, NAMED).map(({ message }) => `\n  ${message}`);
    const others = lost.length - named.length;
    const more = others > 0 ? `\n  … and ${others} more` : '';
    const count = lost.length === 1 ? '1 entry' : `${lost.length} entries`;
    throw new RespaldoError(
      damaged ? 'repository-damaged' : 'target-refused',
      `${count} of snapshot ${snapshot.slice(0, 8)} could not be restored into ${showPath(target)}:${named.join('')}${more}`,
      {
        hint: damaged
          ? 'Everything else is there. Another snapshot, or a copy of the repository, may hold what is missing; `respaldo check --read-data` shows the damage.'
          : 'Everything else is there. Run the same restore again once the cause is gone: it goes on where it stopped.',
        context: { snapshot, target, missing: lost.length },
      },
    );
  }

  #tell(finding: Finding): void {
    this.findings.push(finding);
    this.#onFinding?.(finding);
  }
}
