import type { Finding } from '../domain/finding.ts';
import type { CheckOptions, Repository } from '../repository/repository.ts';
import { Findings } from './findings.ts';

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

/** Looks for damage. Notes (unused packs, old locks) leave a repository clean. */
export async function check(options: CheckOptions, ports: CheckPorts, signal: AbortSignal): Promise<CheckOutcome> {
  const findings = new Findings(ports.onFinding);
  for await (const finding of ports.repository.check(options, signal)) findings.add(finding);
  return { state: findings.serious ? 'damaged' : 'clean', findings: findings.list };
}
