/** Decides what becomes of each selected entry: a file to be written, a late entry, or nothing. */
import { errnoOf } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import { hashId } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { OverwritePolicy } from '../repository.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { clear, lookAt } from './existing.ts';
import { type FileJob, plainLength } from './file-job.ts';
import type { LateEntry } from './late-entries.ts';
import type { Losses } from './losses.ts';
import { metadataOf } from './metadata.ts';
import { givesWay, isTrusted, type Wanted } from './policy.ts';
import type { Removal } from './removal.ts';
import type { Tally } from './tally.ts';
import { isFatal, reasonOf, targetError } from './target-error.ts';
import type { TargetState } from './target.ts';
import type { FoundEntry } from './walk.ts';

export interface IntakeParts {
  readonly index: BlobIndex;
  readonly tally: Tally;
  readonly losses: Losses;
  readonly state: TargetState;
  readonly overwrite: OverwritePolicy | undefined;
  readonly dryRun: boolean;
  /** If what the snapshot does not hold is deleted, also from a folder in the place of something else. */
  readonly removal?: Removal;
  /** Collects files whose content is not this restore's. */
  readonly untouched?: Set<string>;
}

/** The file that others are hard links to. */
interface First {
  readonly path: string;
  readonly location: string;
  readonly content: string;
}

export class Intake {
  readonly #parts: IntakeParts;
  readonly #firsts = new Map<string, First>();
  readonly late: LateEntry[] = [];

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** @returns the file to be written, if it is one */
  take({ node, folder }: FoundEntry): FileJob | undefined {
    const { losses, tally } = this.#parts;
    const path = `${folder.path}/${node.name}`;
    const location = `${folder.location}/${node.name}`;
    switch (node.type) {
      case 'file':
        return this.#file(node, path, location);
      case 'symlink':
        this.#later(node, path, location, { kind: 'symlink', target: node.linkTarget ?? '' });
        return undefined;
      case 'fifo':
        this.#later(node, path, location, { kind: 'fifo' });
        return undefined;
      case 'dev':
      case 'chardev':
        this.#later(node, path, location, { kind: node.type, device: node.device ?? 0n });
        return undefined;
      case 'socket':
      case 'irregular':
        tally.found(0);
        tally.skipped(location, 0);
        losses.note(
          location,
          'entry-skipped',
          `a ${node.type === 'socket' ? 'socket' : 'file of unknown kind'} cannot be restored`,
        );
        return undefined;
      case 'dir':
        return undefined;
    }
  }

  #later(node: Node, path: string, location: string, make: LateEntry['make']): void {
    this.#parts.tally.found(0);
    this.late.push({ location, path, metadata: metadataOf(node), make });
  }

  #file(node: Node, path: string, location: string): FileJob | undefined {
    const { tally, losses, untouched } = this.#parts;
    const linked = linkKey(node);
    const first = linked === undefined ? undefined : this.#firsts.get(linked);
    const content = linked === undefined ? '' : hashId(Buffer.from((node.content ?? []).join()));
    // Files that changed while they were saved may differ: then each is restored with its own content.
    if (first?.content === content) {
      this.#later(node, path, location, { kind: 'link', first: first.path, firstLocation: first.location });
      return undefined;
    }
    const blobs = this.#locate(node, location);
    if (blobs === undefined) {
      tally.found(node.size);
      return undefined;
    }
    const size = blobs.reduce((sum, blob) => sum + plainLength(blob), 0);
    tally.found(size);
    const metadata = metadataOf(node);
    let verdict: Verdict;
    try {
      verdict = this.#judge(path, location, { size, links: node.links ?? 1, mtimeNs: metadata.mtimeNs });
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || isFatal(errno)) throw targetError('restore', path, error);
      losses.lose(location, 'target', reasonOf(error));
      return undefined;
    }
    if (verdict === 'skip') {
      tally.skipped(location, size);
      untouched?.add(location);
      return undefined;
    }
    if (linked !== undefined && first === undefined) this.#firsts.set(linked, { path, location, content });
    return {
      location,
      path,
      metadata,
      blobs,
      size,
      links: node.links ?? 1,
      existing: verdict,
      writeTo: this.#parts.overwrite === undefined ? path : besides(path),
      present: undefined,
      whole: false,
      made: false,
      pending: 0,
      damaged: new Map(),
      written: 0,
      refusal: undefined,
    };
  }

  #locate(node: Node, location: string): Located[] | undefined {
    const { index, losses } = this.#parts;
    const blobs: Located[] = [];
    for (const id of node.content ?? []) {
      const blob = index.find('data', id);
      if (blob === undefined) {
        losses.lose(location, 'damage', `data blob ${id} is in no index`);
        return undefined;
      }
      blobs.push(blob);
    }
    return blobs;
  }

  /** What exists at the path, and what is done about it. Removes what can only be in the way. */
  #judge(path: string, location: string, wanted: Wanted): Verdict {
    const { state, overwrite, dryRun, removal } = this.#parts;
    const local = fsPath(path);
    const existing = state === 'fresh' ? undefined : lookAt(local);
    if (existing === undefined) return 'none';
    if (!givesWay(overwrite, existing, wanted.mtimeNs)) return 'skip';
    if (existing.isFile()) return isTrusted(overwrite, existing, wanted) ? 'right' : 'compare';
    if (existing.isDirectory()) removal?.empty(path, location, existing);
    // A file is renamed over anything but a folder, so that there is always one or the other.
    const inTheWay = overwrite === undefined || existing.isDirectory();
    if (inTheWay && !dryRun) clear(local, existing);
    return 'none';
  }
}

type Verdict = FileJob['existing'] | 'skip';

/** The same for all names of one file; undefined for a file with one name. */
function linkKey({ links = 1, inode, deviceId }: Node): string | undefined {
  return links > 1 && inode !== undefined ? `${deviceId ?? 0n}:${inode}` : undefined;
}

/** A name beside the file's, always the same, so that a killed run's is found by the next. */
function besides(path: string): string {
  const slash = path.lastIndexOf('/');
  const name = Buffer.from(path.slice(slash + 1), 'utf16le');
  return `${path.slice(0, slash)}/.respaldo-${hashId(name).slice(0, 16)}`;
}
