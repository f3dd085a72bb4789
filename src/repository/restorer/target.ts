import { mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { decodeName } from '../../domain/name.ts';
import { errnoOf, RespaldoError } from '../../errors.ts';
import { syncPath } from '../filesystem/durable.ts';
import { fsPath, showPath } from '../filesystem/path.ts';
import {
  isAtWork,
  isDraft,
  isSameUndertaking,
  markerName,
  readMarker,
  removeMarker,
  type Undertaking,
  writeMarker,
} from './marker.ts';
import { targetError } from './target-error.ts';

/**
 * - `fresh`: the target was missing or empty: whatever is found there now is of this restore.
 * - `resumed`: it holds an unfinished restore of the same: what is right stays, what is not is written again.
 * - `shared`: what is there is somebody's, and treated by the overwrite policy.
 */
export type TargetState = 'fresh' | 'resumed' | 'shared';

/** What a new file system has in its root. */
export const ALWAYS_THERE = new Set(['lost+found']);

/** The folder that a restore writes into. */
export class Target {
  /** Absolute, without symlinks. */
  readonly folder: string;
  readonly state: TargetState;
  readonly #marker: string;

  private constructor(folder: string, state: TargetState, marker: string) {
    this.folder = folder;
    this.state = state;
    this.#marker = marker;
  }

  /**
   * Makes the folder if it is missing and marks it as unfinished.
   * @param nodes what the restored folder itself holds
   * @throws RespaldoError `target-not-empty`, `target-unsafe`, `target-refused`
   */
  static prepare(
    path: string,
    undertaking: Undertaking,
    nodes: Iterable<{ readonly name: string }>,
    options: { readonly shared: boolean; readonly dryRun: boolean },
  ): Target {
    const marker = markerName(nodes);
    const folder = options.dryRun ? existing(path) : create(path);
    if (folder === undefined) return new Target(resolve(path), 'fresh', marker);
    const state = options.shared ? 'shared' : stateOf(folder, marker, undertaking);
    if (!options.dryRun && state !== 'shared') {
      mark(folder, marker, undertaking, state === 'resumed');
    }
    return new Target(folder, state, marker);
  }

  /** Everything is there and durable. */
  finish(): void {
    if (readMarker(this.folder, this.#marker) === undefined) return;
    removeMarker(this.folder, this.#marker);
    syncPath(fsPath(this.folder));
  }
}

function existing(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isDirectory()) throw notAFolder(path);
  return realPath(path);
}

function create(path: string): string {
  const absolute = resolve(path);
  try {
    const first = makeFolders(absolute);
    if (first !== undefined) syncFolders(dirname(absolute), dirname(first));
    return realPath(absolute);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR') throw notAFolder(path);
    throw targetError('make the folder', absolute, error);
  }
}

/**
 * The folder and those above it that are missing; Node's own way never ends where one cannot be made and the system says
 * that it is missing, as in `/proc`.
 * @returns the first one that was made
 */
function makeFolders(path: string): string | undefined {
  if (existing(path) !== undefined) return undefined;
  const above = makeFolders(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    // Another restore needed it, too.
    if (errnoOf(error) !== 'EEXIST' || existing(path) === undefined) throw error;
  }
  return above ?? path;
}

function realPath(path: string): string {
  return decodeName(realpathSync(path, { encoding: 'buffer' }));
}

/** Makes the names of new folders durable, from `last` up to `first`. */
function syncFolders(last: string, first: string): void {
  for (let folder = last; folder.length >= first.length; folder = dirname(folder)) {
    syncPath(folder);
    if (folder === first) return;
  }
}

function mark(folder: string, marker: string, undertaking: Undertaking, replaces: boolean): void {
  let written: boolean;
  try {
    written = writeMarker(folder, marker, undertaking, replaces);
  } catch (error) {
    throw targetError('write to', folder, error);
  }
  if (!written) throw busy(folder, readMarker(folder, marker)?.pid);
}

function stateOf(folder: string, marker: string, undertaking: Undertaking): TargetState {
  const names = readdirSync(fsPath(folder)).filter((name) => !ALWAYS_THERE.has(name) && !isDraft(name, marker));
  if (names.length === 0) return 'fresh';
  const found = readMarker(folder, marker);
  if (found === undefined) throw notEmpty(folder);
  if (isAtWork(found)) throw busy(folder, found.pid);
  if (!isSameUndertaking(found, undertaking)) throw otherUndertaking(folder, found.snapshot);
  return 'resumed';
}

function notAFolder(path: string): RespaldoError {
  return new RespaldoError('target-unsafe', `${showPath(path)} is not a folder, so nothing can be restored into it`, {
    hint: 'Name a folder that is missing or empty.',
  });
}

function notEmpty(folder: string): RespaldoError {
  return new RespaldoError('target-not-empty', `the target ${showPath(folder)} is not empty`, {
    hint: 'Restore into a missing or empty folder, or say with `--overwrite` what becomes of existing files.',
  });
}

function otherUndertaking(folder: string, snapshot: string): RespaldoError {
  return new RespaldoError(
    'target-not-empty',
    `the target ${showPath(folder)} holds an unfinished restore of snapshot ${snapshot.slice(0, 8)}, with other choices or of another snapshot`,
    { hint: 'Finish that one by the same command as before, empty the folder, or use `--overwrite`.' },
  );
}

function busy(folder: string, pid: number | undefined): RespaldoError {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new RespaldoError('target-not-empty', `${who} is restoring into ${showPath(folder)} right now`, {
    hint: 'Wait until it is done, or stop it; then the same restore goes on where it stopped.',
  });
}
