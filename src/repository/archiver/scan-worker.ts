/** Counts what a walk will find, ahead of it, so that progress has an end to measure against. */
import { lstatSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { Selection } from '../../domain/entry.ts';
import { decodeName } from '../../domain/name.ts';
import { fsPath } from '../filesystem/path.ts';
import { serve, type Emit } from '../workers/serve.ts';
import { Selector } from './selector.ts';

export interface ScanTask {
  /** Absolute local paths. */
  readonly targets: readonly string[];
  readonly selection: Selection;
}

/** So far. */
export interface ScanTotals {
  readonly files: number;
  readonly bytes: number;
}

const TELL_EVERY = 5000;

serve<undefined, ScanTask, ScanTotals, ScanTotals>((_data, emit) => async (task) => {
  const value = await scan(task, emit);
  return { value, transfer: [] };
});

async function scan(task: ScanTask, emit: Emit<ScanTotals>): Promise<ScanTotals> {
  const selector = new Selector(task.selection);
  const pending = [...task.targets];
  let files = 0;
  let bytes = 0;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    // What cannot be read is the walk's business: here it only makes an estimate worse.
    try {
      const stats = lstatSync(fsPath(path));
      if (stats.isDirectory()) {
        for (const child of childrenOf(path, selector)) if (!selector.excludes(child)) pending.push(child);
      } else if (stats.isFile()) {
        files += 1;
        bytes += stats.size;
        if (files % TELL_EVERY === 0) await emit({ value: { files, bytes }, transfer: [] });
      }
    } catch {
      continue;
    }
  }
  return { files, bytes };
}

function childrenOf(folder: string, selector: Selector): string[] {
  const names = readdirSync(fsPath(folder), { encoding: 'buffer' }).map(decodeName);
  return selector.namesToKeep(folder, names).map((name) => posix.join(folder, name));
}
