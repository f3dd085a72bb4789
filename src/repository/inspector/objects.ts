import type { Snapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { encodeConfig } from '../format/config.ts';
import { type Id, isId } from '../format/id.ts';
import type { ListedObject, ShownObject, StoredType } from '../repository.ts';
import { findTree } from '../restorer/tree-path.ts';
import { SnapshotReader } from '../restorer/snapshot-reader.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import { listPacks, packKey } from '../storage/objects.ts';

/** Shorter beginnings of ids are too easily mistyped. */
const MIN_PREFIX = 4;

/** See {@link Repository.objects}. */
export function listStored(
  { store, objects }: RepositoryContext,
  type: StoredType,
  signal: AbortSignal,
): AsyncIterable<ListedObject> {
  return type === 'pack' ? listPacks(store, signal) : objects.list(type, signal);
}

/** See {@link Repository.object}. */
export async function showObject(
  context: RepositoryContext,
  type: StoredType,
  text: string,
  signal: AbortSignal,
): Promise<ShownObject> {
  const id = isId(text) ? text : await idOf(context, type, text, signal);
  const { store, objects } = context;
  const bytes =
    type === 'pack' ? await store.read(packKey(id), undefined, signal) : await objects.load(type, id, signal);
  return { id, bytes };
}

export function showConfig({ config }: RepositoryContext): Uint8Array {
  return encodeConfig(config);
}

/** See {@link Repository.blob}. */
export async function showBlob(context: RepositoryContext, text: string, signal: AbortSignal): Promise<Uint8Array> {
  const index = await context.loadIndex(signal);
  const [first, ...others] = isId(text) ? knownAs(index, text) : beginningWith(index, text);
  if (first === undefined) throw missing('blob', text, '`respaldo list blobs` lists the blobs there are.');
  if (others.length > 0) throw ambiguous(text, others.length + 1);
  return new BlobReader(context, index).load(first.type, first.id, signal);
}

/** See {@link Repository.tree}. */
export async function showTree(
  context: RepositoryContext,
  snapshot: Snapshot,
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const reader = new SnapshotReader(context);
  const id = await findTree((tree) => reader.tree(tree, signal), snapshot.tree, path, signal);
  const index = await context.loadIndex(signal);
  return new BlobReader(context, index).load('tree', id, signal);
}

/** The blob of this id: where data and a tree have the same, they are the same bytes. */
function knownAs(index: BlobIndex, id: Id): Located[] {
  return [index.find('data', id) ?? index.find('tree', id)].filter((blob) => blob !== undefined);
}

function beginningWith(index: BlobIndex, text: string): Located[] {
  requireLength(text);
  const found = new Map<Id, Located>();
  for (let row = 0; row < index.size; row++) {
    const blob = index.at(row);
    if (blob.id.startsWith(text)) found.set(blob.id, blob);
  }
  return [...found.values()];
}

async function idOf(context: RepositoryContext, type: StoredType, text: string, signal: AbortSignal): Promise<Id> {
  requireLength(text);
  const ids: Id[] = [];
  for await (const { id } of listStored(context, type, signal)) if (id.startsWith(text)) ids.push(id);
  const [id, ...others] = ids;
  if (id === undefined) throw missing(type, text, 'See what there is with `respaldo list`.');
  if (others.length > 0) throw ambiguous(text, ids.length);
  return id;
}

function requireLength(text: string): void {
  if (!/^[0-9a-f]*$/.test(text) || text.length < MIN_PREFIX)
    throw new RespaldoError('usage', `${JSON.stringify(text)} is no id`, {
      hint: 'Ids are 64 digits from 0 to f; the first four or more will do.',
    });
}

function missing(type: string, text: string, hint: string): RespaldoError {
  return new RespaldoError('store-missing', `there is no ${type} ${text}`, { hint });
}

function ambiguous(text: string, fits: number): RespaldoError {
  return new RespaldoError('usage', `the id ${text} fits ${fits}`, { hint: 'Give more of its digits.' });
}
