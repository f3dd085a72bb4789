import type { Finding } from '../../domain/finding.ts';
import type { Output } from '../output.ts';
import { harmless } from '../printable.ts';

/**
 * Tells what a backup or a restore noticed: most notes only under `--verbose`, what is missing always, as restic's
 * `error`.
 */
export function tellFinding(finding: Finding, during: 'archival' | 'restore', output: Output): void {
  if (finding.severity === 'note') {
    if (finding.prominent === true) output.note(harmless(finding.message));
    else output.detail(harmless(finding.message));
    return;
  }
  output.warn(finding.message);
  output.jsonError({
    message_type: 'error',
    error: { message: finding.message },
    during,
    item: finding.subject ?? '',
  });
}

/** Tells what a repair noticed: damage always. */
export function tellRepairFinding(finding: Finding, output: Output): void {
  if (finding.severity === 'note') output.detail(harmless(finding.message));
  else output.warn(finding.message);
  output.json({ message_type: 'finding', ...finding });
}
