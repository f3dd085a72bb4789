import { isError, RespaldoError } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import { returnLargeBuffers } from '../workers/memory.ts';
import { releaseIfLarge } from '../workers/release.ts';
import { BlobIndex } from './blob-index.ts';
import type { Objects } from './objects.ts';
import { inParallel } from './parallel.ts';

export interface LoadOptions {
  /** Told of each index file that cannot be read, instead of failing. */
  readonly onDamaged?: (id: Id, error: RespaldoError) => void;
}

/** Index files held at once: they are large once decompressed. */
const FILES_AT_ONCE = 2;
/** How often the list of index files is read again because one vanished: a prune replaces them. */
const MAX_LISTINGS = 5;

/** Reads all index files. @throws RespaldoError `repository-damaged` unless `onDamaged` is given */
export async function loadIndex(
  objects: Objects,
  signal: AbortSignal,
  { onDamaged = refuseDamage }: LoadOptions = {},
): Promise<BlobIndex> {
  returnLargeBuffers();
  const index = new BlobIndex();
  const seen = new Set<Id>();
  for (let listing = 0; listing < MAX_LISTINGS; listing++) {
    const fresh: Id[] = [];
    let bytes = 0;
    for await (const { id, size } of objects.list('index', signal)) {
      bytes += size;
      if (!seen.has(id)) fresh.push(id);
    }
    index.expect(bytes);
    for (const id of fresh) seen.add(id);
    if (await loadFiles(index, objects, fresh, onDamaged, signal)) return index;
  }
  throw new RespaldoError('repository-damaged', 'index files vanish while they are being read', {
    hint: 'Another program seems to be rewriting the index: try again once it is done.',
  });
}

/** @returns false if a file vanished, so that the list must be read again */
async function loadFiles(
  index: BlobIndex,
  objects: Objects,
  ids: readonly Id[],
  onDamaged: (id: Id, error: RespaldoError) => void,
  signal: AbortSignal,
): Promise<boolean> {
  let complete = true;
  const read = async (id: Id) => ({ id, json: await objects.load('index', id, signal).catch(expected) });
  for await (const { id, json } of inParallel(ids, FILES_AT_ONCE, read)) {
    if (isError(json, 'store-missing')) complete = false;
    else if (json instanceof RespaldoError) onDamaged(id, json);
    else addFile(index, id, json, onDamaged);
    // Left to the collector, a million blobs' files pile up to more than the index that is made of them.
    if (json instanceof Uint8Array) releaseIfLarge(json);
  }
  return complete;
}

function addFile(index: BlobIndex, id: Id, json: Uint8Array, onDamaged: (id: Id, error: RespaldoError) => void): void {
  try {
    index.addFile(id, json);
  } catch (error) {
    if (!isError(error, 'repository-damaged')) throw error;
    onDamaged(id, error);
  }
}

/** What reading a file may come to without being the end. */
function expected(error: unknown): RespaldoError {
  if (isError(error, 'store-missing') || isError(error, 'repository-damaged')) return error;
  throw error;
}

function refuseDamage(id: Id, error: RespaldoError): never {
  const isNamed = error.message.includes(id);
  throw new RespaldoError('repository-damaged', isNamed ? error.message : `index ${id}: ${error.message}`, {
    hint: 'Run `respaldo repair index`: it makes a new index from the packs.',
    context: { index: id },
    cause: error,
  });
}
