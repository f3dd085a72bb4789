import type { Toolbox } from './toolbox.ts';

/** Of each major version the first minor one whose pg_dump writes guarded scripts. Older majors never do, newer ones always. */
const FIRST_MINOR: ReadonlyMap<number, number> = new Map([
  [13, 22],
  [14, 19],
  [15, 14],
  [16, 10],
  [17, 6],
]);
const ALWAYS_SINCE = 18;

/**
 * Whether the tool guards its text by random words, which it can be told. An older version may have got it from whoever
 * packaged it: that one is asked.
 */
export async function knowsGuard(tools: Toolbox): Promise<boolean> {
  if (isGuardedSince(await tools.version('pg_dump'))) return true;
  return (await tools.told('pg_dump', '--help')).includes('--restrict-key');
}

/** @param version as the program names itself: `pg_dump (PostgreSQL) 15.8` */
export function isGuardedSince(version: string): boolean {
  const [, major = '', minor = '0'] = /\) (\d+)(?:\.(\d+))?/.exec(version) ?? [];
  const first = FIRST_MINOR.get(Number(major));
  return first === undefined ? Number(major) >= ALWAYS_SINCE : Number(minor) >= first;
}
