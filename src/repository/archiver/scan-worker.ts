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

interface Pending {
  readonly path: string;
  /** Count only what lies on this one. */
  readonly device: bigint | undefined;
}

async function scan(task: ScanTask, emit: Emit<ScanTotals>): Promise<ScanTotals> {
  const selector = new Selector(task.selection);
  const pending = task.targets.map((path): Pending => ({ path, device: undefined }));
  let files = 0;
  let bytes = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, device } = next;
    // What cannot be read is the walk's business: here it only makes an estimate worse.
    try {
      const stats = lstatSync(fsPath(path), { bigint: true });
      if (device !== undefined && stats.dev !== device) continue;
      if (stats.isDirectory()) {
        const inside = task.selection.oneFileSystem ? stats.dev : undefined;
        for (const child of childrenOf(path, selector))
          if (!selector.excludes(child)) pending.push({ path: child, device: inside });
      } else if (stats.isFile() && !selector.isTooLarge(stats.size)) {
        files += 1;
        bytes += Number(stats.size);
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
