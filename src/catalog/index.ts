/** Where the catalog lies, and how it is opened without ever standing in anybody's way. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Catalog } from './catalog.ts';
import { ForgivingCatalog } from './forgiving.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder for what Respaldo remembers between runs: `RESPALDO_STATE_DIR`, else systemd's `STATE_DIRECTORY` (the
 * first, where it lists several), else `respaldo` below `XDG_STATE_HOME` or `~/.local/state`.
 */
export function stateFolder(env: Environment): string {
  if (env['RESPALDO_STATE_DIR']) return resolve(env['RESPALDO_STATE_DIR']);
  const [fromSystemd] = env['STATE_DIRECTORY']?.split(':') ?? [];
  if (fromSystemd) return resolve(fromSystemd);
  const xdg = env['XDG_STATE_HOME'];
  // The XDG specification wants relative paths to be ignored.
  const base = xdg && isAbsolute(xdg) ? xdg : join(env['HOME'] || homedir(), '.local', 'state');
  return join(base, 'respaldo');
}

/**
 * Opens or makes the catalog. Never throws: where it cannot be opened, or later be written, `warn` is told once, and
 * the catalog remembers nothing from then on. A damaged file is moved aside with a warning and a new one begun.
 */
export async function openCatalog(
  env: Environment,
  warn: (message: string) => void,
  clock: Clock = systemClock,
): Promise<Catalog> {
  const giveUp = (error: unknown) => {
    warn(
      `runs are not recorded, the catalog cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  };
  try {
    const { makeFolder, openReplacingDamaged } = await import('./open.ts');
    const folder = stateFolder(env);
    makeFolder(folder);
    return new ForgivingCatalog(openReplacingDamaged(join(folder, 'catalog.db'), warn, clock), giveUp);
  } catch (error) {
    giveUp(error);
    return new ForgivingCatalog(undefined, giveUp);
  }
}
