import { homedir } from 'node:os';
import path from 'node:path';
import { RespaldoError } from '../errors.ts';
import type { Environment } from './secrets.ts';

/** What the command line says. */
export interface CacheFlags {
  /** `--cache-dir` */
  readonly cacheDir?: string;
  /** False: `--no-cache`. */
  readonly cache: boolean;
}

export interface CacheQuestion {
  readonly flags: CacheFlags;
  readonly env: Environment;
  /** Where relative folders start from: an absolute path. */
  readonly workingDirectory: string;
}

/**
 * The folder of all caches; undefined where none is wanted. The first that says so wins: the command line,
 * `RESPALDO_CACHE_DIR`, restic's `RESTIC_CACHE_DIR`, `respaldo` in the user's folder for caches.
 * @throws RespaldoError `usage` for a command line that contradicts itself
 */
export function chooseCache({ flags, env, workingDirectory }: CacheQuestion): string | undefined {
  const { cacheDir, cache } = flags;
  if (!cache && cacheDir !== undefined)
    throw new RespaldoError('usage', '--cache-dir and --no-cache contradict each other', { hint: 'Give one of them.' });
  if (!cache) return undefined;
  const named = cacheDir ?? (env['RESPALDO_CACHE_DIR'] || env['RESTIC_CACHE_DIR'] || undefined);
  return named === undefined ? path.join(userCaches(env), 'respaldo') : path.resolve(workingDirectory, named);
}

function userCaches(env: Environment): string {
  const xdg = env['XDG_CACHE_HOME'];
  // The XDG specification wants relative paths to be ignored.
  return xdg && path.isAbsolute(xdg) ? xdg : path.join(env['HOME'] || homedir(), '.cache');
}
