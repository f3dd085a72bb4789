import type { RepositoryContext } from '../context.ts';
import type { StoredBlob } from '../repository.ts';

/** See {@link Repository.blobs}. */
export async function* blobs(context: RepositoryContext, signal: AbortSignal): AsyncIterable<StoredBlob> {
  const index = await context.loadIndex(signal);
  for (let row = 0; row < index.size; row++) yield index.at(row);
}
