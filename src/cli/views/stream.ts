import type { Snapshot } from '../../domain/snapshot.ts';
import type { RespaldoError } from '../../errors.ts';
import type { LogStretch } from '../../sources/source.ts';
import { count, formatBytes, formatDuration } from '../units.ts';
import { shortId } from './snapshot.ts';

export function storedLine({ range, transactions, bytes, through }: LogStretch, snapshot: Snapshot): string {
  const time = through === undefined ? '' : `, up to ${through.toISOString()}`;
  return `snapshot ${shortId(snapshot.id)} saved: ${range}, ${count(transactions, 'transaction')}, ${formatBytes(bytes)}${time}`;
}

export function storedMessage(stretch: LogStretch, { id }: Snapshot): Record<string, unknown> {
  const { range, transactions, bytes, through, replacesLast } = stretch;
  return {
    message_type: 'stored',
    snapshot_id: id,
    range,
    transactions,
    bytes,
    through: through?.toISOString(),
    replaces_last: replacesLast,
  };
}

export function troubleLine({ message }: RespaldoError, pause: number): string {
  return `${message}; trying again in ${formatDuration(pause)}`;
}
