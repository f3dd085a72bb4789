import { z } from 'zod';

const TIME = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/;

/** A time such as `90s`, `5m` or `1h30m`, as it is written. */
export const timeSchema = z.string().refine((value) => secondsOf(value) > 0, 'must be a time such as 90s, 5m or 1h');

/** `1h30m` → 5400; 0 for what is none. */
export function secondsOf(time: string): number {
  const [, hours = '0', minutes = '0', seconds = '0'] = TIME.exec(time) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
