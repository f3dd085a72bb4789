import type { Finding } from '../domain/finding.ts';
import type { CheckOptions, Repository } from '../repository/repository.ts';

export interface CheckPorts {
  readonly repository: Repository;
  /** Each finding as it is made; all of them are in the outcome too. */
  readonly onFinding?: (finding: Finding) => void;
}

export interface CheckOutcome {
  /** `damaged`: stored bytes are wrong or missing; exit 1. */
  readonly state: 'clean' | 'damaged';
  readonly findings: readonly Finding[];
}

/** More than anybody reads; a repository that is damaged all over must not fill the memory. */
const MAX_FINDINGS = 10_000;

/** Looks for damage. Notes (unused packs, old locks) leave a repository clean. */
export async function check(options: CheckOptions, ports: CheckPorts, signal: AbortSignal): Promise<CheckOutcome> {
  const findings: Finding[] = [];
  let damaged = false;
  for await (const finding of ports.repository.check(options, signal)) {
    damaged ||= finding.severity !== 'note';
    if (findings.length < MAX_FINDINGS) findings.push(finding);
    ports.onFinding?.(finding);
  }
  return { state: damaged ? 'damaged' : 'clean', findings };
}
