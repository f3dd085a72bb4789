import { compareTimestamps, parseTimestamp, type Timestamp } from '../domain/timestamp.ts';
import { compilePatterns, malformedPatterns } from '../domain/pattern.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { ListedNode } from '../repository/repository.ts';
import { search, type Aim, type SearchPorts } from './search.ts';

/** Files by what they are called and when they were changed. */
export interface FindRequest {
  /** With restic's meaning; any of them may match. */
  readonly patterns: readonly string[];
  readonly ignoreCase: boolean;
  /** Bounds of the modification time, both included. */
  readonly oldest?: Date;
  readonly newest?: Date;
}

/** A file, folder or other entry of a snapshot that was sought. */
export interface FoundEntry {
  readonly snapshot: Snapshot;
  readonly node: ListedNode;
}

/**
 * What the request asks for, snapshot by snapshot in the order given.
 * @throws RespaldoError `usage` for a malformed pattern or times in the wrong order
 */
export async function* findEntries(
  request: FindRequest,
  snapshots: readonly Snapshot[],
  ports: SearchPorts,
  signal: AbortSignal,
): AsyncGenerator<FoundEntry, void, undefined> {
  for await (const { snapshot, hit } of search(snapshots, aimOf(request), ports, signal)) yield { snapshot, node: hit };
}

function aimOf({ patterns, ignoreCase, oldest, newest }: FindRequest): Aim<ListedNode> {
  const malformed = malformedPatterns(patterns)[0];
  if (malformed !== undefined)
    throw new RespaldoError('usage', `the pattern ${malformed} is malformed`, {
      hint: 'A [ needs its ], and a \\ something behind it.',
    });
  if (oldest !== undefined && newest !== undefined && oldest > newest)
    throw new RespaldoError('usage', 'the oldest time is after the newest', { hint: 'Exchange them.' });
  // A name that begins with ! is sought, not taken back.
  const wanted = compilePatterns(
    patterns.map((pattern) => pattern.replace(/^!/, '\\!')),
    { ignoreCase },
  );
  const [from, to] = [timestampOf(oldest), timestampOf(newest)];
  return {
    hits: (node) => (wanted.matches(node.path).match && isWithin(node.mtime, from, to) ? [node] : []),
    mayBeBelow: (folder) => wanted.matches(folder.path).childMayMatch,
    dependsOnPath: true,
  };
}

function isWithin(mtime: string | undefined, from: Timestamp | undefined, to: Timestamp | undefined): boolean {
  if (from === undefined && to === undefined) return true;
  if (mtime === undefined) return from === undefined;
  const time = parseTimestamp(mtime);
  return (
    (from === undefined || compareTimestamps(time, from) >= 0) && (to === undefined || compareTimestamps(time, to) <= 0)
  );
}

function timestampOf(date: Date | undefined): Timestamp | undefined {
  return date && parseTimestamp(date.toISOString());
}
