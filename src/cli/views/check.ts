import type { Finding } from '../../domain/finding.ts';
import type { ProgressView } from '../progress.ts';
import { formatDuration, formatPercent } from '../units.ts';

export interface CheckProgress {
  readonly done: number;
  readonly total: number;
  readonly what: 'snapshots' | 'packs';
}

export const checkProgress: ProgressView<CheckProgress> = {
  bytes: ({ done, total }) => ({ done, total }),
  line: ({ done, total, what }, pace) =>
    `[${formatDuration(pace.elapsed())}] ${formatPercent(done, total)}  ${done} / ${total} ${what}`,
};

/** As `restic check --json` ends. */
export function checkMessage(findings: readonly Finding[]): Record<string, unknown> {
  const damage = findings.filter(({ severity }) => severity !== 'note');
  const packs = damage.flatMap(({ code, subject }) =>
    code.startsWith('pack-') && subject !== undefined ? [subject] : [],
  );
  return {
    message_type: 'summary',
    num_errors: damage.length,
    broken_packs: packs.length === 0 ? null : [...new Set(packs)],
    suggest_repair_index: findings.some(({ code }) => code === 'index-damaged' || code === 'pack-missing'),
    suggest_prune: findings.some(({ severity }) => severity === 'note'),
  };
}
