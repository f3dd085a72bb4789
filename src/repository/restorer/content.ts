import { release } from '../../domain/release.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { showPath } from '../filesystem/path.ts';
import type { Id } from '../format/id.ts';
import type { ListedNode } from '../repository.ts';
import { SnapshotReader } from './snapshot-reader.ts';

/** Blobs of a file that are read together, at most; in bytes unless one alone has more, which are 8 MiB at most. */
const WINDOW = { blobs: 256, bytes: 4 * 1024 * 1024 };
/** Windows that are on their way while one is being used. */
const AHEAD = 1;
/** Small blobs are handed out together up to so many bytes: whoever works on each would be busy with their number. */
const PIECE = 1024 * 1024;

/** See {@link Repository.content}. */
export async function* content(
  context: RepositoryContext,
  node: ListedNode,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  yield* blobsInOrder(node.content ?? [], node.path, new SnapshotReader(context), signal);
}

/**
 * The bytes of blobs one after the other, in pieces that are the reader's own. What lies together is asked for at once,
 * and some of it ahead.
 * @param path for messages
 */
export async function* blobsInOrder(
  ids: readonly Id[],
  path: string,
  reader: SnapshotReader,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const coming: Promise<readonly Uint8Array[]>[] = [];
  for (let next = 0; next < ids.length || coming.length > 0;) {
    throwIfAborted(signal);
    while (coming.length <= AHEAD && next < ids.length) {
      const window = await windowAt(ids, next, reader, signal);
      coming.push(begin(reader.several(window, signal)));
      next += window.length;
    }
    const blobs = await coming.shift()?.catch((error: unknown) => {
      throw inFile(path, error);
    });
    yield* joined(blobs ?? []);
  }
}

/** As many as may be in memory together. */
async function windowAt(
  ids: readonly Id[],
  from: number,
  reader: SnapshotReader,
  signal: AbortSignal,
): Promise<readonly Id[]> {
  const window: Id[] = [];
  let bytes = 0;
  for (const id of ids.slice(from, from + WINDOW.blobs)) {
    bytes += (await reader.dataLength(id, signal)) ?? 0;
    if (window.length > 0 && bytes > WINDOW.bytes) break;
    window.push(id);
  }
  return window;
}

/** A failure is told when its turn comes, and not at all if the reader leaves before. */
function begin<T>(loading: Promise<T>): Promise<T> {
  loading.catch(() => undefined);
  return loading;
}

function* joined(blobs: readonly Uint8Array[]): Generator<Uint8Array> {
  let few: Uint8Array[] = [];
  let bytes = 0;
  for (const blob of blobs) {
    if (bytes + blob.length > PIECE && few.length > 0) {
      yield oneOf(few, bytes);
      [few, bytes] = [[], 0];
    }
    few.push(blob);
    bytes += blob.length;
  }
  if (few.length > 0) yield oneOf(few, bytes);
}

function oneOf(blobs: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first] = blobs;
  if (first !== undefined && blobs.length === 1) return first;
  const piece = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const blob of blobs) {
    const { length } = blob;
    piece.set(blob, at);
    at += length;
    release(blob);
  }
  return piece;
}

function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof RespaldoError)) return error;
  return new RespaldoError(error.code, `${showPath(path)}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    context: error.context,
    cause: error,
  });
}
