import type { Snapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { ListedNode, Repository, StoredBlob } from '../repository/repository.ts';
import { type Aim, search } from './search.ts';

/** The objects of a repository that are sought. */
export interface FindObjectsRequest {
  readonly kind: 'blob' | 'tree' | 'pack';
  /** Whole, or their beginnings: four digits or more. */
  readonly ids: readonly string[];
}

/** Where a snapshot uses an object. */
export interface FoundObject {
  readonly snapshot: Snapshot;
  readonly kind: 'blob' | 'tree';
  readonly id: string;
  /** Of the file, or of the folder that the tree is. */
  readonly path: string;
  /** Of a blob: the tree that its file is in. */
  readonly parentTree?: string;
}

type ObjectHit = Omit<FoundObject, 'snapshot'>;

interface Sought {
  readonly blobs: IdSet;
  readonly trees: IdSet;
}

/**
 * Who uses these blobs or trees, or anything in these packs, snapshot by snapshot in the order given.
 * @throws RespaldoError `usage` for what is no id, `store-missing` for a pack that is in no index
 */
export async function* findObjects(
  { kind, ids }: FindObjectsRequest,
  snapshots: readonly Snapshot[],
  { repository }: { readonly repository: Pick<Repository, 'list' | 'blobs'> },
  signal: AbortSignal,
): AsyncGenerator<FoundObject, void, undefined> {
  for (const id of ids) if (!/^[0-9a-f]{4,64}$/.test(id)) throw notAnId(id);
  const none = new IdSet([]);
  const sought =
    kind === 'pack'
      ? await contentOf(ids, repository, signal)
      : { blobs: kind === 'blob' ? new IdSet(ids) : none, trees: kind === 'tree' ? new IdSet(ids) : none };
  for await (const { snapshot, hit } of search(snapshots, aimOf(sought), { repository }, signal))
    yield { snapshot, ...hit };
}

/** The blobs that are sought, wherever they are stored: one that several packs hold comes several times. */
export async function* storedObjects(
  { kind, ids }: FindObjectsRequest,
  { repository }: { readonly repository: Pick<Repository, 'blobs'> },
  signal: AbortSignal,
): AsyncGenerator<StoredBlob, void, undefined> {
  const wanted = new IdSet(ids);
  const type = kind === 'tree' ? 'tree' : 'data';
  for await (const blob of repository.blobs(signal))
    if (kind === 'pack' ? wanted.has(blob.pack) : blob.type === type && wanted.has(blob.id)) yield blob;
}

function aimOf({ blobs, trees }: Sought): Aim<ObjectHit> {
  const treeHits = (id: string | undefined, path: string): ObjectHit[] =>
    id !== undefined && trees.has(id) ? [{ kind: 'tree', id, path }] : [];
  const blobHits = ({ content = [], path }: ListedNode, parentTree: string): ObjectHit[] =>
    content.filter((id) => blobs.has(id)).map((id) => ({ kind: 'blob', id, path, parentTree }));
  return {
    rootHits: (tree) => treeHits(tree, '/'),
    hits: (node, tree) => [...treeHits(node.subtree, node.path), ...blobHits(node, tree)],
    mayBeBelow: () => true,
    dependsOnPath: false,
  };
}

async function contentOf(
  packs: readonly string[],
  repository: Pick<Repository, 'blobs'>,
  signal: AbortSignal,
): Promise<Sought> {
  const wanted = new IdSet(packs);
  const missing = new Set(packs);
  const found = { data: new Set<string>(), tree: new Set<string>() };
  for await (const { pack, type, id } of repository.blobs(signal)) {
    if (!wanted.has(pack)) continue;
    found[type].add(id);
    for (const text of missing) if (pack.startsWith(text)) missing.delete(text);
  }
  for (const pack of missing)
    throw new RespaldoError('store-missing', `no index knows a pack ${pack}`, {
      hint: '`respaldo list packs` lists the packs there are.',
    });
  return { blobs: new IdSet([...found.data]), trees: new IdSet([...found.tree]) };
}

/** Ids, some of them known by their beginnings alone. */
class IdSet {
  readonly #whole: ReadonlySet<string>;
  readonly #beginnings: readonly string[];

  constructor(ids: readonly string[]) {
    this.#whole = new Set(ids);
    this.#beginnings = ids.filter((id) => id.length < 64);
  }

  has(id: string): boolean {
    return this.#whole.has(id) || this.#beginnings.some((beginning) => id.startsWith(beginning));
  }
}

function notAnId(text: string): RespaldoError {
  return new RespaldoError('usage', `${JSON.stringify(text)} is no id`, {
    hint: 'Ids are 64 digits from 0 to f; the first four or more will do.',
  });
}
