import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { headerSizeOf, type PackedBlob, parsePackHeader } from '../format/pack.ts';
import { packKey } from './objects.ts';

/** What is read of a pack's end at first: enough for the headers of most. */
const TAIL = 32 * 1024;

/**
 * The blobs that a pack itself tells of.
 * @param size of the pack in the store
 * @throws RespaldoError `repository-damaged` if its header cannot be read, `store-missing`
 */
export async function readPackHeader(
  { store, sealer }: Pick<RepositoryContext, 'store' | 'sealer'>,
  id: Id,
  size: number,
  signal: AbortSignal,
): Promise<PackedBlob[]> {
  const read = (length: number) => store.read(packKey(id), { offset: size - length, length }, signal);
  const tail = await read(Math.min(size, TAIL));
  const needed = headerSizeOf(id, tail, size);
  return parsePackHeader(id, needed > tail.length ? await read(needed) : tail, size, sealer);
}
