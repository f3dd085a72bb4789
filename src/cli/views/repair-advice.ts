import type { Finding } from '../../domain/finding.ts';

/** So many ids fit on one command line that a person can still copy. */
const MAX_NAMED = 50;

/** The commands that repair what a check has found, in their order. */
export function repairAdvice(findings: readonly Finding[]): string[] {
  const subjects = (...codes: readonly string[]): string[] => [
    ...new Set(
      findings.flatMap(({ code, subject }) => (codes.includes(code) && subject !== undefined ? [subject] : [])),
    ),
  ];
  // What the store did not give now, it may give later: nothing is to be thrown away before that is known.
  if (subjects('pack-unreadable').length > 0)
    return ['respaldo doctor store', 'respaldo check --read-data   # once the store gives every pack'];
  const packs = subjects('pack-damaged', 'pack-truncated');
  const snapshots = subjects('snapshot-damaged');
  const keys = subjects('key-damaged');
  const isLost = subjects('blob-missing', 'blob-damaged', 'tree-damaged', 'pack-missing').length > 0;
  const first = subjects('index-damaged', 'pack-missing', 'blob-missing').length > 0;
  return [
    ...(first ? ['respaldo repair index'] : []),
    ...inGroups(packs).map((ids) => `respaldo repair packs ${ids}`),
    ...(isLost ? ['respaldo backup …   # stores again what the source still has', 'respaldo check'] : []),
    ...(isLost ? ['respaldo repair snapshots --forget   # if snapshots are still hit'] : []),
    ...inGroups(snapshots).map((ids) => `respaldo repair snapshots --forget ${ids}`),
    ...keys.map((id) => `respaldo key remove ${id}`),
  ];
}

function inGroups(ids: readonly string[]): string[] {
  const groups = Array.from({ length: Math.ceil(ids.length / MAX_NAMED) }, (_, i) => i * MAX_NAMED);
  return groups.map((start) => ids.slice(start, start + MAX_NAMED).join(' '));
}
