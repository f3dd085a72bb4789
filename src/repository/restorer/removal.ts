/** Removes from the target, with all that is in it, what the snapshot does not hold. */
import { type BigIntStats, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { decodeName } from '../../domain/name.ts';
import { throwIfAborted } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import { lookAt } from './existing.ts';
import type { Losses } from './losses.ts';
import type { Tally } from './tally.ts';

export interface RemovalParts {
  readonly tally: Tally;
  readonly losses: Losses;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** Whatever is removed is told and counted. Symlinks are removed, never followed. */
export class Removal {
  readonly #parts: RemovalParts;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /**
   * @param location where it is within what is restored
   * @throws a system error if something cannot be removed
   */
  remove(path: string, location: string, found: BigIntStats): void {
    const { dryRun, tally, signal } = this.#parts;
    throwIfAborted(signal);
    if (found.isDirectory()) {
      if (!this.empty(path, location, found)) return;
      if (!dryRun) rmdirSync(fsPath(path));
    } else if (!dryRun) unlinkSync(fsPath(path));
    tally.deleted(path);
  }

  /**
   * Removes what is in a folder, the innermost first. What another file system is mounted on stays: nobody can have
   * meant that.
   * @returns whether nothing stays in it
   */
  empty(path: string, location: string, folder: BigIntStats): boolean {
    let kept = false;
    for (const name of namesIn(path)) {
      const inner = lookAt(fsPath(`${path}/${name}`));
      if (inner === undefined) continue;
      if (inner.dev === folder.dev) this.remove(`${path}/${name}`, `${location}/${name}`, inner);
      else {
        kept = true;
        const why = 'not deleted: another file system is mounted there';
        this.#parts.losses.note(`${location}/${name}`, 'mount-kept', why);
      }
    }
    return !kept;
  }
}

export function namesIn(folder: string): string[] {
  return readdirSync(fsPath(folder), { encoding: 'buffer' }).map(decodeName);
}
