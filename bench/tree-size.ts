import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface TreeSize {
  /** Everything with a name but the folder itself. */
  readonly entries: number;
  /** Of the files' contents, holes included, each name counted. */
  readonly bytes: number;
}

/** What a folder holds, however deep; links are not followed. */
export function measureTree(folder: string): TreeSize {
  let [entries, bytes] = [0, 0];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(folder, name));
    entries += 1;
    if (stat.isFile()) bytes += stat.size;
  }
  return { entries, bytes };
}
