import type { Finding } from '../../domain/finding.ts';
import { withoutProof } from '../../domain/proof.ts';
import { INCOMPLETE_TAG, type Snapshot, type SnapshotFilter } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import { snapshotDamaged } from '../checker/findings.ts';
import { afresh, type RepositoryContext } from '../context.ts';
import { showPath } from '../filesystem/path.ts';
import { SEAL_OVERHEAD } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import { packSizeOf } from '../format/pack.ts';
import type { Rewritten, RewriteOptions } from '../repository.ts';
import { Replacement } from '../rewriter/replacement.ts';
import { TreeRewriter, type TreeRules } from '../rewriter/tree-rewriter.ts';
import { loadSnapshots, passes, selectSnapshots } from '../snapshots.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobWriter } from '../storage/blob-writer.ts';
import { BlobReader } from '../storage/blobs.ts';
import { withLock } from '../storage/locks.ts';
import { listPacks } from '../storage/objects.ts';

/** restic's, of snapshots that stand beside the ones that they were made of. */
const TAG = 'repaired';

/** See {@link Repository.repairSnapshots}. */
export function repairSnapshots(
  context: RepositoryContext,
  filter: SnapshotFilter,
  options: RewriteOptions,
  signal: AbortSignal,
): Promise<readonly Rewritten[]> {
  const { objects, clock } = context;
  const { dryRun } = options;
  return withLock(objects, { exclusive: !dryRun, readOnly: dryRun, clock, signal }, async (signal, guard) => {
    const fresh = afresh(context);
    const { snapshots, unreadable, everything } = await choose(fresh, filter, options, signal);
    const index = await fresh.loadIndex(signal);
    await requireSoundPacks(context, index, signal);
    const writer = new BlobWriter(context, signal);
    const target = { reader: new BlobReader(fresh, index), index, writer: dryRun ? undefined : writer, signal };
    const rewriter = new TreeRewriter(repairRules(index, options), target);
    const replacement = new Replacement(context, writer, everything, options, guard);
    for (const id of unreadable) await replacement.drop({ id });
    for (const snapshot of snapshots) {
      options.onSnapshot?.(snapshot);
      const tree = await rewriter.rewrite(snapshot.tree);
      if (tree === undefined) await replacement.drop(snapshot);
      else if (tree !== snapshot.tree) await replacement.add(snapshot, repairedRecord(snapshot, tree, options));
    }
    return replacement.finish();
  });
}

interface Chosen {
  readonly snapshots: readonly Snapshot[];
  /** Named records that cannot be read. */
  readonly unreadable: readonly Id[];
  readonly everything: readonly Snapshot[];
}

/** Records that cannot be read are told; of these, only those that are named are chosen. */
async function choose(
  { objects }: RepositoryContext,
  filter: SnapshotFilter,
  { onFinding }: RewriteOptions,
  signal: AbortSignal,
): Promise<Chosen> {
  const unreadable: Id[] = [];
  const everything = await loadSnapshots(objects, signal, (id, error) => {
    unreadable.push(id);
    onFinding?.(snapshotDamaged(id, error.message));
  });
  const { ids = [] } = filter;
  if (ids.length === 0)
    return { snapshots: everything.filter((snapshot) => passes(snapshot, filter)), unreadable: [], everything };
  const named = unreadable.filter((id) => ids.includes(id));
  const rest = ids.filter((id: string) => !unreadable.includes(id));
  const snapshots = rest.length === 0 ? [] : await selectSnapshots(objects, { ...filter, ids: rest }, signal);
  return { snapshots, unreadable: named, everything };
}

/** What the index tells of is taken for available: it must not tell of packs that are gone or cut short. */
async function requireSoundPacks({ store }: RepositoryContext, index: BlobIndex, signal: AbortSignal): Promise<void> {
  const sizes = new Map<Id, number>();
  for await (const { id, size } of listPacks(store, signal)) sizes.set(id, size);
  for (const { id, rows } of index.packRows()) {
    const size = sizes.get(id);
    if (size === packSizeOf(rows.map((row) => index.at(row)))) continue;
    const [what, repair] =
      size === undefined
        ? ['is missing', 'repair index']
        : ['has not the size that it should have', `repair packs ${id}`];
    throw new RespaldoError('repository-damaged', `pack ${id} ${what}`, {
      hint: `Run \`respaldo ${repair}\` first: snapshots can then be repaired by what is left.`,
      context: { pack: id },
    });
  }
}

function repairRules(index: BlobIndex, { onFinding }: RewriteOptions): TreeRules {
  const tell = (severity: Finding['severity'], code: string, what: string, path: string): void =>
    onFinding?.({ severity, code, message: `${showPath(path)}: ${what}`, subject: path });
  return {
    entry: (node, path) => {
      if (node.type === 'irregular') {
        tell('damage', 'entry-removed', 'removed, it is of no type that can be restored', path);
        return undefined;
      }
      if (node.type !== 'file') return node;
      const repaired = repairFile(node, index);
      if (repaired !== node) {
        const lost = repaired.content?.length !== node.content?.length;
        if (lost) tell('damage', 'content-lost', 'content that is missing was removed', path);
        else tell('note', 'size-fixed', 'its size was wrong', path);
      }
      return repaired;
    },
    unreadable: (path, error) => {
      if (path === '/') {
        tell('damage', 'folder-lost', `the folder cannot be read (${error.message})`, path);
        return undefined;
      }
      tell('damage', 'folder-lost', `the folder cannot be read (${error.message}) and is empty now`, path);
      return [];
    },
    pathless: true,
    lossless: false,
  };
}

/** The file with what is left of its content, and the size of that. */
function repairFile(node: Node, index: BlobIndex): Node {
  const content = (node.content ?? []).filter((id) => index.has('data', id));
  const size = content.reduce((sum, id) => sum + plainSize(index, id), 0);
  return content.length === node.content?.length && size === node.size ? node : { ...node, content, size };
}

function plainSize(index: BlobIndex, id: Id): number {
  const { length = SEAL_OVERHEAD, uncompressedLength = 0 } = index.find('data', id) ?? {};
  return uncompressedLength === 0 ? length - SEAL_OVERHEAD : uncompressedLength;
}

/** What was lost stays missing: nobody may take the snapshot for a whole one. */
function repairedRecord({ id, ...record }: Snapshot, tree: Id, { forget }: RewriteOptions): Omit<Snapshot, 'id'> {
  const tags = new Set([...withoutProof(record.tags ?? []), ...(forget ? [] : [TAG]), INCOMPLETE_TAG]);
  return { ...record, tree, original: id, tags: [...tags] };
}
