import { pipeline, Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import { encodeName } from '../domain/name.ts';
import { type ZipContent, zipDescriptor, zipDirectoryRecord, zipEnd, type ZipEntry, zipHeader } from '../domain/zip.ts';
import type { ListedNode } from '../repository/repository.ts';
import { type DumpPorts, type DumpRequest, permissionBits, timestampOf, wholeContent } from './dump-node.ts';

/**
 * A folder as a zip archive, piece by piece; what the archive's directory tells of each entry, some 100 bytes, is kept
 * until its end. Content is verified before it is yielded. A symbolic link's content is its target; zip knows no hard
 * links.
 * @throws RespaldoError `repository-damaged`, where the archive ends unfinished
 */
export async function* dumpZip(
  { snapshot, path, base }: DumpRequest,
  { repository, onSkipped }: DumpPorts,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const directory: Uint8Array[] = [];
  const start = base === '/' ? 1 : base.length + 1;
  let offset = 0;
  for await (const node of repository.list(snapshot, { path }, signal)) {
    if (node.path === path) continue;
    const entry = entryOf(node, node.path.slice(start));
    if (entry === undefined) {
      onSkipped?.(node);
      continue;
    }
    const written = new WrittenContent();
    const header = zipHeader(entry);
    yield header;
    yield* written.of(entry, contentOf(node, repository, signal));
    const descriptor = zipDescriptor(entry, written);
    yield descriptor;
    directory.push(zipDirectoryRecord(entry, written, offset));
    offset += header.length + written.packed + descriptor.length;
  }
  yield* directory;
  const size = directory.reduce((sum, record) => sum + record.length, 0);
  yield zipEnd(directory.length, offset, size);
}

/** Passes content on as the archive holds it, and takes note of what there is to know of it. */
class WrittenContent implements ZipContent {
  packed = 0;
  checksum = 0;

  async *of(entry: ZipEntry, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const plain = this.#summed(content);
    for await (const piece of entry.type === 'file' ? deflated(plain) : plain) {
      this.packed += piece.length;
      yield piece;
    }
  }

  async *#summed(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of content) {
      this.checksum = crc32(piece, this.checksum);
      yield piece;
    }
  }
}

async function* deflated(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  // A failure of the content ends the loop below with it.
  const stream = pipeline(Readable.from(content), createDeflateRaw(), () => undefined);
  for await (const piece of stream) yield piece as Uint8Array;
}

async function* contentOf(
  node: ListedNode,
  repository: DumpPorts['repository'],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (node.type === 'file') yield* wholeContent(node, repository, signal);
  if (node.type === 'symlink') yield encodeName(node.linkTarget ?? '');
}

function entryOf(node: ListedNode, path: string): ZipEntry | undefined {
  const type = TYPES[node.type];
  if (type === undefined) return undefined;
  const mtime = timestampOf(node.mtime);
  const size = type === 'file' ? node.size : type === 'symlink' ? encodeName(node.linkTarget ?? '').length : 0;
  return { path, type, size, mode: permissionBits(node.mode), ...(mtime && { mtime }) };
}

const TYPES: Partial<Record<ListedNode['type'], ZipEntry['type']>> = {
  file: 'file',
  dir: 'directory',
  symlink: 'symlink',
};
