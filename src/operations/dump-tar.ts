import { tarEnd, type TarEntry, tarHeader, tarPadding } from '../domain/tar.ts';
import { parseTimestamp, type Timestamp } from '../domain/timestamp.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { ListedNode, Repository } from '../repository/repository.ts';

export interface DumpRequest {
  readonly snapshot: Snapshot;
  /** The folder to write; its own entry is left out, as in restic. */
  readonly path: string;
  /** Names in the archive are relative to this folder: `/`, or one that `path` lies in. */
  readonly base: string;
}

export interface DumpPorts {
  readonly repository: Pick<Repository, 'list' | 'content'>;
  /** Told of what an archive cannot hold: devices, pipes, sockets. */
  readonly onSkipped?: (node: ListedNode) => void;
}

/**
 * A folder as a tar archive, piece by piece. Content is verified before it is yielded. A file of several names is
 * written once; the other names link to it.
 * @throws RespaldoError `repository-damaged`, where the archive ends unfinished
 */
export async function* dumpTar(
  { snapshot, path, base }: DumpRequest,
  { repository, onSkipped }: DumpPorts,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const links = new FirstNames();
  const start = base === '/' ? 1 : base.length + 1;
  for await (const node of repository.list(snapshot, { path }, signal)) {
    if (node.path === path) continue;
    const name = node.path.slice(start);
    const entry = entryOf(node, name, links.of(node, name));
    if (entry === undefined) onSkipped?.(node);
    else {
      yield tarHeader(entry);
      if (entry.type === 'file') yield* contentOf(node, repository, signal);
    }
  }
  yield tarEnd();
}

async function* contentOf(
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
  // The header has told a size; whoever unpacks would take what follows for something else.
  if (length !== node.size)
    throw new RespaldoError('repository-damaged', `${node.path} is not as long as its record says`, {
      hint: 'The archive is not complete. `respaldo dump` can write this file by itself.',
    });
  yield tarPadding(length);
}

function entryOf(node: ListedNode, path: string, firstName: string | undefined): TarEntry | undefined {
  const type = TYPES[node.type];
  if (type === undefined) return undefined;
  const { uid, gid, user, group, linkTarget, extendedAttributes: attributes = [] } = node;
  const common = {
    path,
    mode: permissionBits(node.mode),
    uid,
    gid,
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
    ...timesOf(node),
  };
  if (firstName !== undefined) return { ...common, type: 'hard-link', size: 0, target: firstName };
  return {
    ...common,
    type,
    size: type === 'file' ? node.size : 0,
    ...(type === 'symlink' && linkTarget !== undefined && { target: linkTarget }),
    attributes: attributes.map(({ name, value }) => ({ name, value: Buffer.from(value, 'base64') })),
  };
}

const TYPES: Partial<Record<ListedNode['type'], TarEntry['type']>> = {
  file: 'file',
  dir: 'directory',
  symlink: 'symlink',
};

/** Go's bits for set-uid, set-gid and sticky, and what they are in Unix. */
const SPECIAL_BITS = [
  [23, 0o4000],
  [22, 0o2000],
  [20, 0o1000],
] as const;

function permissionBits(goMode: number): number {
  const special = SPECIAL_BITS.filter(([bit]) => ((goMode >>> bit) & 1) === 1);
  return special.reduce((mode, [, value]) => mode | value, goMode & 0o777);
}

function timesOf({ mtime, atime, ctime }: ListedNode): Pick<TarEntry, 'mtime' | 'atime' | 'ctime'> {
  const [modified, accessed, changed] = [mtime, atime, ctime].map(timestampOf);
  return {
    ...(modified && { mtime: modified }),
    ...(accessed && { atime: accessed }),
    ...(changed && { ctime: changed }),
  };
}

/** A time that was never set, Go's year 1, is none. */
function timestampOf(time: string | undefined): Timestamp | undefined {
  return time === undefined || time.startsWith('0001-01-01T') ? undefined : parseTimestamp(time);
}

/** Under which name a file of several was written. */
class FirstNames {
  readonly #known = new Map<string, { readonly name: string; readonly content: string }>();

  /** @returns the name to link to, or undefined where the content has to be written */
  of({ type, links = 1, inode = 0n, deviceId = 0n, content = [] }: ListedNode, name: string): string | undefined {
    if (type !== 'file' || links < 2 || inode === 0n) return undefined;
    const key = `${deviceId} ${inode}`;
    const whole = content.join();
    const first = this.#known.get(key);
    // A file that changed while it was backed up may have two contents: then both are written.
    if (first?.content === whole) return first.name;
    if (first === undefined) this.#known.set(key, { name, content: whole });
    return undefined;
  }
}
