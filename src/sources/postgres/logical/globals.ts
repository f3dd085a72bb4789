import { ReadAhead } from './channel.ts';
import { dumpGlobals } from './dumps.ts';
import type { Outlook } from './outlook.ts';

/** What may be read of them before somebody writes them. */
const AHEAD = 1024 * 1024;

/** Roles and tablespaces, read at once, before anybody is there who takes them. Whoever leaves before the end must `stop`. */
export function readGlobals({ tools, server, maintenance }: Omit<Outlook, 'databases'>, isGuarded: boolean): ReadAhead {
  const content = { rows: new Map<string, number>(), sequences: [], bytes: 0 };
  return new ReadAhead(dumpGlobals(tools, isGuarded, maintenance, server.passwords, content), AHEAD);
}
