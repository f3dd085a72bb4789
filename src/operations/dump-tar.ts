import { tarEnd, type TarEntry, tarHeader, tarPadding } from '../domain/tar.ts';
import type { ListedNode } from '../repository/repository.ts';
import { type DumpPorts, type DumpRequest, permissionBits, timestampOf, wholeContent } from './dump-node.ts';

/**
 * A folder as a tar archive, piece by piece. Content is verified before it is yielded. A file of several names is
 * written once; the other names link to it.
 * @throws RespaldoError `repository-damaged`, where the archive ends unfinished
 */
export async function* dumpTar(
  { snapshot, path, base, isWhole = false }: DumpRequest,
  { repository, onSkipped }: DumpPorts,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const links = new FirstNames();
  const start = base === '/' ? 1 : base.length + 1;
  for await (const node of repository.list(snapshot, { path }, signal)) {
    if (node.path === path && !isWhole) continue;
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
  yield* wholeContent(node, repository, signal);
  yield tarPadding(node.size);
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

function timesOf({ mtime, atime, ctime }: ListedNode): Pick<TarEntry, 'mtime' | 'atime' | 'ctime'> {
  const [modified, accessed, changed] = [mtime, atime, ctime].map(timestampOf);
  return {
    ...(modified && { mtime: modified }),
    ...(accessed && { atime: accessed }),
    ...(changed && { ctime: changed }),
  };
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
