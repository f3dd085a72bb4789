import type { Finding } from '../../domain/finding.ts';
import { isError, type RespaldoError } from '../../errors.ts';
import { packDamaged } from '../checker/findings.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { PackedBlob } from '../format/pack.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { readPackHeader } from '../storage/pack-header.ts';
import { readPackBlobs } from '../storage/pack-reader.ts';

/** What a pack holds, as far as that can be known. */
export interface ReadPack {
  readonly id: Id;
  readonly blobs: readonly PackedBlob[];
  /** Where the pack is damaged. */
  readonly finding?: Finding;
}

/**
 * What a pack's header tells of or, where it cannot be read, those blobs of which an index tells and that are there.
 * @param size of the pack in the store
 * @param rows of the pack's blobs in the index
 */
export async function readPack(
  context: RepositoryContext,
  index: BlobIndex,
  id: Id,
  size: number,
  rows: readonly number[],
  signal: AbortSignal,
): Promise<ReadPack> {
  try {
    return { id, blobs: await readPackHeader(context, id, size, signal) };
  } catch (error) {
    if (!isError(error, 'repository-damaged')) throw error;
    const blobs = await readableBlobs(context, index, id, rows, signal);
    return { id, blobs, finding: headerUnreadable(id, error, blobs.length, rows.length) };
  }
}

async function readableBlobs(
  { store, sealer }: RepositoryContext,
  index: BlobIndex,
  id: Id,
  rows: readonly number[],
  signal: AbortSignal,
): Promise<PackedBlob[]> {
  const readable: PackedBlob[] = [];
  const listed = rows.map((row) => index.at(row));
  for await (const { blob, content } of readPackBlobs(store, sealer, id, listed, signal))
    if (content instanceof Uint8Array) readable.push(blob);
  return readable;
}

function headerUnreadable(id: Id, error: RespaldoError, readable: number, listed: number): Finding {
  const what = error.message.replace(`pack ${id} `, 'it ');
  const rest =
    readable === 0
      ? 'no index tells of anything in it that can be read'
      : `${readable} of the ${listed} blobs that an index tells of can be read, and \`repair packs\` saves them`;
  return packDamaged(id, `${what}; ${rest}`);
}
