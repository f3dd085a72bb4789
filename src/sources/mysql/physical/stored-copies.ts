/** The copies that a snapshot is put together of, as one portable file. */
import { posix } from 'node:path';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import type { ChainLink } from './facts.ts';
import { xbFile } from './xbstream-writer.ts';

/** Where a stream holds several copies: the one that holds everything, and those that build upon it, in order. */
export const WHOLE = 'data';
export function nameOfIncrement(number: number): string {
  return `increment-${String(number)}`;
}

/** One copy is a stream as `mariadb-backup` makes it; of several each has a folder of its own. */
export async function* copiesAsStream(
  links: readonly Pick<ChainLink, 'folder'>[],
  snapshot: ReadableSnapshot,
): AsyncGenerator<Uint8Array> {
  for (const [i, { folder }] of links.entries()) {
    const name = i === 0 ? WHOLE : nameOfIncrement(i);
    yield* filesBelow(folder, links.length === 1 ? '' : name, snapshot);
  }
}

/** What lies in a folder comes before what lies deeper: who unpacks makes a folder only when there is one above it. */
async function* filesBelow(folder: string, path: string, snapshot: ReadableSnapshot): AsyncGenerator<Uint8Array> {
  const entries = await snapshot.list(folder);
  for (const { name, kind } of entries)
    if (kind === 'file') yield* xbFile(posix.join(path, name), snapshot.stream(`${folder}/${name}`));
  for (const { name, kind } of entries)
    if (kind === 'directory') yield* filesBelow(`${folder}/${name}`, posix.join(path, name), snapshot);
}

/** The command that puts a stream on its standard input back. @param copies that it holds @param builds upon what is there */
export function stepsToRestore(copies: number, builds: boolean): string {
  const prepare = 'mariadb-backup --prepare --target-dir';
  if (builds)
    return `(mkdir increment && mbstream -x -C increment) && ${prepare}=data --incremental-dir=increment && rm -r increment`;
  if (copies === 1) return `(mkdir data && mbstream -x -C data) && ${prepare}=data`;
  const increments = Array.from({ length: copies - 1 }, (_, i) => `copies/${nameOfIncrement(i + 1)}`);
  return [
    '(mkdir copies && mbstream -x -C copies)',
    `${prepare}=copies/${WHOLE}`,
    ...increments.map((folder) => `${prepare}=copies/${WHOLE} --incremental-dir=${folder}`),
    `mv copies/${WHOLE} data`,
    'rm -r copies',
  ].join(' && ');
}
