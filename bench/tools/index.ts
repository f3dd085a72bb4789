/** The tools that this machine has. */
import { findBorg } from './borg.ts';
import { findRestic } from './restic.ts';
import { openRespaldo } from './respaldo.ts';
import type { Tool } from './tool.ts';

/** Ours first. @param entry its `bin/respaldo.js` */
export async function findTools(entry: string): Promise<[Tool, ...Tool[]]> {
  const others = await Promise.all([findRestic(), findBorg()]);
  return [await openRespaldo(entry), ...others.filter((tool) => tool !== undefined)];
}
