import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { showPath } from '../filesystem/path.ts';
import type { Id } from '../format/id.ts';
import type { ListedNode } from '../repository.ts';
import { SnapshotReader } from './snapshot-reader.ts';

/** Blobs that are on their way while one is being used: at most 8 MiB each. */
const READ_AHEAD = 4;

/** See {@link Repository.content}. */
export async function* content(
  context: RepositoryContext,
  node: ListedNode,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const reader = new SnapshotReader(context);
  yield* blobsInOrder(node.content ?? [], node.path, (id) => reader.data(id, signal), signal);
}

/** Blobs one after the other, some of them asked for ahead. @param path for messages */
export async function* blobsInOrder(
  ids: readonly Id[],
  path: string,
  load: (id: Id) => Promise<Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const coming: Promise<Uint8Array>[] = [];
  for (let next = 0; next < ids.length || coming.length > 0;) {
    throwIfAborted(signal);
    for (; coming.length < READ_AHEAD && next < ids.length; next++) coming.push(begin(load(ids[next] ?? '')));
    const bytes = await coming.shift()?.catch((error: unknown) => {
      throw inFile(path, error);
    });
    if (bytes !== undefined) yield bytes;
  }
}

/** A failure is told when its turn comes, and not at all if the reader leaves before. */
function begin<T>(loading: Promise<T>): Promise<T> {
  loading.catch(() => undefined);
  return loading;
}

function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof RespaldoError)) return error;
  return new RespaldoError(error.code, `${showPath(path)}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    context: error.context,
    cause: error,
  });
}
