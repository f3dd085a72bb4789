/** Folders and files of a snapshot as archives of tar, as GNU tar would have made them of the folders themselves. */
import { posix } from 'node:path';
import type { Finding } from '../domain/finding.ts';
import { repeatable } from '../domain/repeatable.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import type { PortableFile } from '../sources/source.ts';
import { dumpTar } from './dump-tar.ts';

interface Ports {
  readonly repository: Repository;
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * One for each path that was backed up; its members begin with the path's last name.
 */
export async function* portableTrees(
  snapshot: Snapshot,
  paths: readonly string[],
  { repository, onFinding }: Ports,
  signal: AbortSignal,
): AsyncGenerator<PortableFile> {
  const readable = repository.readable(snapshot, signal);
  const isThere = async (path: string): Promise<boolean> => {
    const entries = await readable.list(posix.dirname(path));
    return entries.some(({ name }) => name === posix.basename(path));
  };
  for (const path of paths) {
    const place = await placeOf(path, isThere);
    const base = posix.dirname(place);
    const skipped = new Set<string>();
    const onSkipped = (node: { readonly path: string; readonly type: string }): void => {
      skipped.add(node.path);
      const message = `${node.path} is a ${node.type}, which is not written into archives that are made of snapshots`;
      onFinding?.({ severity: 'incomplete', code: 'not-archived', subject: node.path, message });
    };
    yield {
      name: posix.basename(path) === '' ? 'root' : posix.basename(path),
      extension: 'tar',
      content: repeatable(() =>
        dumpTar({ snapshot, path: place, base, isWhole: place !== '/' }, { repository, onSkipped }, signal),
      ),
      about: () => ({
        versions: {},
        facts: {
          path,
          ...(skipped.size > 0 && { incomplete: `${String(skipped.size)} are no files, folders or links` }),
        },
        restoreCommand: `tar --extract --file=- --xattrs --xattrs-include='*' --numeric-owner`,
      }),
    };
  }
}

/**
 * Where it lies in the snapshot: at its absolute path, or, where it was named by a relative one, at the end of that. What was
 * named `.` has no name there: it is all.
 */
async function placeOf(path: string, isThere: (path: string) => Promise<boolean>): Promise<string> {
  const names = path.split('/').slice(1);
  for (let i = 0; i < names.length; i += 1) {
    const place = `/${names.slice(i).join('/')}`;
    if (place !== '/' && (await isThere(place))) return place;
  }
  return '/';
}
