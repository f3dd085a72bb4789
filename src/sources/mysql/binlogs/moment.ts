/** Up to where a log is replayed: everything before it, and nothing of it or behind it. Pure. */
import { RespaldoError } from '../../../errors.ts';
import { gtidOf } from './gtid.ts';
import { compare } from './walk.ts';
import type { LogPosition, PlacedEvent } from './reader.ts';

export type Moment =
  | { readonly kind: 'end' }
  | { readonly kind: 'time'; readonly time: Date }
  | { readonly kind: 'position'; readonly position: LogPosition }
  | { readonly kind: 'gtid'; readonly gtid: string };

const POSITION = /^(.+\.\d{6,}):(\d+)$/;
const GTID = /^(?:\d+-\d+-\d+|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}:\d+)$/;

/** @param until a time, or `latest`, `bin.000012:4711`, `0-1-42`, `3e11fa47-…:23`. @throws RespaldoError `usage` */
export function parseMoment(until: Date | string): Moment {
  if (until instanceof Date) return { kind: 'time', time: until };
  if (until === 'latest') return { kind: 'end' };
  const [, file, offset] = POSITION.exec(until) ?? [];
  if (file !== undefined) return { kind: 'position', position: { file, offset: Number(offset) } };
  if (GTID.test(until)) return { kind: 'gtid', gtid: until };
  throw new RespaldoError('usage', `--until ${until} is no moment`, {
    hint: 'It is a time ("2025-01-31 07:05:09"), a place in the binary log (bin.000012:4711), a GTID (0-1-42), or latest.',
  });
}

export function momentName(moment: Moment): string {
  switch (moment.kind) {
    case 'end':
      return 'the end of what is stored';
    case 'time':
      return moment.time.toISOString();
    case 'position':
      return `${moment.position.file}:${String(moment.position.offset)}`;
    case 'gtid':
      return moment.gtid;
  }
}

/** Whether a transaction that begins with this event is not wanted any more. Times of logs have whole seconds. */
export function isReached(moment: Moment, placed: PlacedEvent): boolean {
  switch (moment.kind) {
    case 'end':
      return false;
    case 'time':
      return placed.event.timestamp >= Math.floor(moment.time.getTime() / 1000);
    case 'position':
      return compare({ file: placed.file, offset: placed.from }, moment.position) >= 0;
    case 'gtid':
      return gtidOf(placed.event) === moment.gtid;
  }
}
