import type { Snapshot } from '../../domain/snapshot.ts';
import type { RespaldoError } from '../../errors.ts';
import type { LogStretch } from '../../sources/source.ts';
import { count, formatBytes, formatDuration } from '../units.ts';
import { shortId } from './snapshot.ts';

/** @param now by this machine's clock: how long after the last event it is stored */
export function storedLine({ range, transactions, bytes, through }: LogStretch, snapshot: Snapshot, now: Date): string {
  const time = through === undefined ? '' : `, up to ${through.toISOString()}, ${lagText(through, now)} behind`;
  return `snapshot ${shortId(snapshot.id)} saved: ${range}, ${count(transactions, 'transaction')}, ${formatBytes(bytes)}${time}`;
}

export function storedMessage(stretch: LogStretch, { id }: Snapshot, now: Date): Record<string, unknown> {
  const { range, transactions, bytes, through, replacesLast } = stretch;
  return {
    message_type: 'stored',
    snapshot_id: id,
    range,
    transactions,
    bytes,
    through: through?.toISOString(),
    seconds_behind: through && Math.round(lagOf(through, now) / 1000),
    replaces_last: replacesLast,
  };
}

export function troubleLine({ message }: RespaldoError, pause: number): string {
  return `${message}; trying again in ${formatDuration(pause)}`;
}

function lagText(through: Date, now: Date): string {
  return formatDuration(lagOf(through, now));
}

/** The server's clock may be ahead of ours. */
function lagOf(through: Date, now: Date): number {
  return Math.max(0, now.getTime() - through.getTime());
}
