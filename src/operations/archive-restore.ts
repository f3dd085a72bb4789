/** Reading an archive's files back: verified without being written, or into a folder. */
import type { ArchivedFile, Keys } from '../archive/archive.ts';
import { chainOf, plainContent, storedContent } from '../archive/index.ts';
import type { Finding } from '../domain/finding.ts';
import { release } from '../domain/release.ts';
import { isError, RespaldoError } from '../errors.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { ArchivedCopy, DumpFile, SourceIo, SourceKind } from '../sources/source.ts';
import type { Store } from '../stores/store.ts';
import { inspectTarget } from './target.ts';

export interface ArchiveReadPorts {
  /** Where the file lies. */
  readonly store: Store;
  readonly keys: Keys;
  /** Told how many plain bytes have come. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Decrypts and decompresses a file, compares both of its checksums, and writes nothing.
 * @throws RespaldoError `source-damaged`, `wrong-password` that says which key is needed, `tool-missing`, the store's
 */
export async function verifyArchivedFile(
  file: ArchivedFile,
  { store, keys, onProgress }: ArchiveReadPorts,
  signal: AbortSignal,
): Promise<void> {
  requireThere(file);
  const stored = storedContent(store, file.key, file.manifest, signal);
  let bytes = 0;
  // What a decompressor has made is nobody else's.
  const isOurs = file.manifest.compression.name !== 'none';
  for await (const piece of plainContent(stored, file.manifest, keys, signal)) {
    onProgress?.((bytes += piece.length));
    if (isOurs) release(piece);
  }
}

/** What is there is read to its end: a size alone tells where that is in vain. */
function requireThere({ key, state, manifest }: ArchivedFile): void {
  if (state === 'missing')
    throw new RespaldoError('source-damaged', `${key} is gone: only its manifest is there`, {
      hint: 'Use another copy of it, or an older file.',
    });
  if (state === 'resized')
    throw new RespaldoError(
      'source-damaged',
      `${key} does not have the ${String(manifest.stored.bytes)} bytes it was written with`,
      {
        hint: 'It was cut or replaced. Use another copy of it, or an older file.',
      },
    );
}

/** What a restore would do. Sizes in bytes. */
export interface ArchiveRestorePlan {
  readonly file: ArchivedFile;
  /** What it takes, in the order in which it is put back; the last one is the file. */
  readonly chain: readonly ArchivedFile[];
  /** An absolute path: what comes to be. */
  readonly target: string;
  /** A folder is unpacked; a dump becomes a file in it. */
  readonly becomes: 'folder' | 'file';
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/**
 * Looks, and changes nothing.
 * @param files all that lie in the same archive
 * @param folder an absolute path
 * @throws RespaldoError `target-not-empty`, `target-full`, `source-damaged` for a file that is not whole, or a chain
 */
export async function planArchiveRestore(
  file: ArchivedFile,
  files: readonly ArchivedFile[],
  folder: string,
  kinds: readonly SourceKind[],
): Promise<ArchiveRestorePlan> {
  requireThere(file);
  const chain = chainOf(file, files);
  const becomes = unpackerOf(file, kinds) === undefined ? 'file' : 'folder';
  const state = await inspectTarget(folder);
  if (state.entries > 0)
    throw new RespaldoError('target-not-empty', `${folder} is not empty`, {
      hint: 'Name a folder that does not exist yet, or an empty one, by --target.',
    });
  const neededBytes = chain.reduce((sum, { manifest }) => sum + manifest.plain.bytes, 0);
  if (neededBytes > state.freeBytes)
    throw new RespaldoError(
      'target-full',
      `${folder} has room for ${String(state.freeBytes)} bytes, and ${String(neededBytes)} are needed`,
      {
        hint: 'Free some space there, or name another folder by --target.',
      },
    );
  return { file, chain, target: folder, becomes, neededBytes, freeBytes: state.freeBytes };
}

export interface ArchiveRestorePorts extends ArchiveReadPorts {
  readonly runtime: Runtime;
  readonly kinds: readonly SourceKind[];
  /** The folder that is restored into; it is made. */
  readonly into: Store;
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * The stored bytes of all files that it takes are verified before the first plain one is written; those are verified
 * too. A dump is there under its name only when all of it was right.
 * @throws RespaldoError as {@link verifyArchivedFile}, and what writing throws
 */
export async function restoreArchivedFile(
  { chain, target }: ArchiveRestorePlan,
  ports: ArchiveRestorePorts,
  signal: AbortSignal,
): Promise<void> {
  const { into } = ports;
  await (into.makePlace ?? into.create).call(into, signal);
  await using fetched = new AsyncDisposableStack();
  const copies: { file: ArchivedFile; copy: Copy }[] = [];
  for (const file of chain) {
    const copy = await verifiedCopy(file, ports, signal);
    fetched.defer(() => copy.discard());
    copies.push({ file, copy });
  }
  const progress = progressOf(ports.onProgress);
  try {
    for (const { file, copy } of copies)
      await putBack(file, copy, target, { ...ports, onProgress: progress() }, signal);
  } catch (error) {
    throw isError(error, 'command-failed') ? partlyUnpacked(error, target) : error;
  }
}

async function putBack(
  file: ArchivedFile,
  { store, key }: Copy,
  target: string,
  { into, kinds, runtime, keys, onFinding, onProgress }: ArchiveRestorePorts,
  signal: AbortSignal,
): Promise<void> {
  const { manifest } = file;
  const stored = storedContent(store, key, manifest, signal);
  const plain = counted(plainContent(stored, manifest, keys, signal), onProgress);
  const unpack = unpackerOf(file, kinds);
  if (unpack === undefined) await into.writeStream?.(plainName(file), plain, signal);
  else {
    const io: SourceIo = { runtime, signal, report: onFinding ?? (() => undefined), expect: () => undefined };
    await unpack(plain, target, io, manifest.chain !== undefined);
  }
}

/**
 * A dump as it lies in an archive, for who restores it into a server: nothing of it is written anywhere in between.
 * @throws RespaldoError `source-damaged` for a file that is not whole, `usage` for one that holds a folder
 */
export function archivedDump(
  file: ArchivedFile,
  { store, keys, kinds }: Pick<ArchiveRestorePorts, 'store' | 'keys' | 'kinds'>,
  signal: AbortSignal,
): DumpFile {
  requireThere(file);
  const { key, manifest } = file;
  if (unpackerOf(file, kinds) !== undefined)
    throw new RespaldoError('usage', `${key} is a folder, and no dump that a server could take`, {
      hint: 'Restore it into a folder: --target ./restored',
    });
  const read = (): AsyncIterable<Uint8Array> =>
    plainContent(storedContent(store, key, manifest, signal), manifest, keys, signal);
  return { file: key, content: { bytes: manifest.plain.bytes, read } };
}

/**
 * A file of an archive, and what its manifest says, for who restores it with others that belong to it.
 * @param isVerifiedFirst read it to its end once before anything of it is handed out
 */
export function archivedCopy(
  file: ArchivedFile,
  { store, keysOf }: { readonly store: Store; readonly keysOf: () => Promise<Keys> },
  isVerifiedFirst: boolean,
  signal: AbortSignal,
): ArchivedCopy {
  const { key, manifest } = file;
  const { database, extension, versions, facts } = manifest;
  let isVerified = !isVerifiedFirst;
  const read = async function* (): AsyncGenerator<Uint8Array> {
    requireThere(file);
    const keys = await keysOf();
    const plain = (): AsyncIterable<Uint8Array> =>
      plainContent(storedContent(store, key, manifest, signal), manifest, keys, signal);
    if (!isVerified) for await (const _piece of plain()) continue;
    isVerified = true;
    yield* plain();
  };
  return { file: key, content: { bytes: manifest.plain.bytes, read }, database, extension, versions, facts };
}

/** Of several files in a row, each of which counts for itself. */
function progressOf(tell: ArchiveReadPorts['onProgress']): () => (bytes: number) => void {
  let total = 0;
  return () => {
    const before = total;
    return (bytes) => {
      total = before + bytes;
      tell?.(total);
    };
  };
}

/** The name of a dump where it is restored to. */
export function plainName({ manifest: { file, extension } }: ArchivedFile): string {
  const end = file.lastIndexOf(`.${extension}`);
  return end < 0 ? file : file.slice(0, end + 1 + extension.length);
}

interface Copy {
  readonly store: Store;
  readonly key: string;
  discard(): Promise<void>;
}

/** A file of this machine is read once more; one that lies elsewhere is fetched into the target first. */
async function verifiedCopy(
  file: ArchivedFile,
  { store, into }: ArchiveRestorePorts,
  signal: AbortSignal,
): Promise<Copy> {
  const stored = storedContent(store, file.key, file.manifest, signal);
  if (store.localPath?.(file.key) !== undefined) {
    for await (const _piece of stored);
    return { store, key: file.key, discard: () => Promise.resolve() };
  }
  const key = `.${file.manifest.file}.part`;
  await into.writeStream?.(key, stored, signal);
  return { store: into, key, discard: () => into.remove(key, new AbortController().signal) };
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  onProgress: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of content) {
    onProgress?.((bytes += piece.length));
    yield piece;
  }
}

function unpackerOf({ manifest }: ArchivedFile, kinds: readonly SourceKind[]): SourceKind['unpack'] {
  const kind = kinds.find(({ name }) => name === manifest.source);
  return kind?.unpacks?.includes(manifest.extension) === false ? undefined : kind?.unpack;
}

function partlyUnpacked(error: RespaldoError, target: string): RespaldoError {
  return new RespaldoError(error.code, error.message, {
    hint: `What is in ${target} is only a part.`,
    cause: error,
  });
}
