/** What archives of every format need to know of an entry. */
import type { Snapshot } from '../domain/snapshot.ts';
import { parseTimestamp, type Timestamp } from '../domain/timestamp.ts';
import { RespaldoError } from '../errors.ts';
import type { ListedNode, Repository } from '../repository/repository.ts';

export interface DumpRequest {
  readonly snapshot: Snapshot;
  /** The folder to write; its own entry is left out, as in restic, unless `isWhole`. */
  readonly path: string;
  readonly isWhole?: boolean;
  /** Names in the archive are relative to this folder: `/`, or one that `path` lies in. */
  readonly base: string;
}

export interface DumpPorts {
  readonly repository: Pick<Repository, 'list' | 'content'>;
  /** Told of what an archive cannot hold: devices, pipes, sockets. */
  readonly onSkipped?: (node: ListedNode) => void;
}

/**
 * A file's content, exactly as long as its record says: the archive has told a size already, and whoever unpacks would
 * take what follows for something else.
 * @throws RespaldoError `repository-damaged`
 */
export async function* wholeContent(
  node: ListedNode,
  repository: DumpPorts['repository'],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const piece of repository.content(node, signal)) {
    length += piece.length;
    if (length > node.size) break;
    yield piece;
  }
  if (length !== node.size)
    throw new RespaldoError('repository-damaged', `${node.path} is not as long as its record says`, {
      hint: 'The archive is not complete. `respaldo dump` can write this file by itself.',
    });
}

/** Go's bits for set-uid, set-gid and sticky, and what they are in Unix. */
const SPECIAL_BITS = [
  [23, 0o4000],
  [22, 0o2000],
  [20, 0o1000],
] as const;

export function permissionBits(goMode: number): number {
  const special = SPECIAL_BITS.filter(([bit]) => ((goMode >>> bit) & 1) === 1);
  return special.reduce((mode, [, value]) => mode | value, goMode & 0o777);
}

/** A time that was never set, Go's year 1, is none. */
export function timestampOf(time: string | undefined): Timestamp | undefined {
  return time === undefined || time.startsWith('0001-01-01T') ? undefined : parseTimestamp(time);
}
