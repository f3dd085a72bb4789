import measure from 'fast-string-truncated-width';
import { proofOf } from '../../domain/proof.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { typeOf } from '../../domain/strategy.ts';
import { quoted } from '../printable.ts';
import { count, formatBytes } from '../units.ts';
import { shortId } from './snapshot.ts';

/** One line for each snapshot, in columns: id, age, type, size, proof, paths. */
export function snapshotChoices(snapshots: readonly Snapshot[], now: Date): readonly string[] {
  const rows = snapshots.map((snapshot) => [
    shortId(snapshot.id),
    age(now.getTime() - Date.parse(snapshot.time)),
    typeOf(snapshot),
    snapshot.summary === undefined ? '' : formatBytes(snapshot.summary.total_bytes_processed, 1),
    proofOf(snapshot),
  ]);
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(...rows.map((row) => measure(row[i] ?? '').width)));
  return snapshots.map(({ paths }, at) =>
    [...(rows[at] ?? []).map((cell, i) => cell.padEnd(widths[i] ?? 0)), paths.map(quoted).join(', ')].join('  '),
  );
}

const MINUTE = 60_000;
const UNITS = [
  ['day', 24 * 60 * MINUTE],
  ['hour', 60 * MINUTE],
  ['minute', MINUTE],
] as const;

/** `just now`, `5 minutes ago`, `1 day ago`. @param milliseconds since then */
function age(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, least]) => milliseconds >= least) ?? [];
  return unit === undefined ? 'just now' : `${count(Math.floor(milliseconds / length), unit)} ago`;
}
