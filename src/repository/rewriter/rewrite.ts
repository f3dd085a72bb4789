import { compilePatterns, malformedPatterns } from '../../domain/pattern.ts';
import { withoutProof } from '../../domain/proof.ts';
import type { Snapshot, SnapshotFilter, SnapshotSummary } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { showPath } from '../filesystem/path.ts';
import type { Node } from '../format/node.ts';
import { formatTime } from '../format/time.ts';
import type { Rewritten, RewriteOptions, SnapshotChange } from '../repository.ts';
import { loadSnapshots, selectSnapshots } from '../snapshots.ts';
import { BlobWriter } from '../storage/blob-writer.ts';
import { BlobReader } from '../storage/blobs.ts';
import { withLock } from '../storage/locks.ts';
import { Replacement } from './replacement.ts';
import { TreeRewriter, type TreeTarget } from './tree-rewriter.ts';

/** restic's, of snapshots that stand beside the ones that they were made of. */
const TAG = 'rewrite';
/** Go's time that was never set. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** See {@link Repository.rewrite}. */
export async function rewrite(
  context: RepositoryContext,
  filter: SnapshotFilter,
  change: SnapshotChange,
  options: RewriteOptions,
  signal: AbortSignal,
): Promise<readonly Rewritten[]> {
  requireChange(change);
  const { objects, clock } = context;
  const { forget, dryRun } = options;
  const lock = { exclusive: forget && !dryRun, readOnly: dryRun, clock, signal };
  return withLock(objects, lock, async (signal, guard) => {
    const everything = await loadSnapshots(objects, signal);
    const snapshots = await selectSnapshots(objects, filter, signal);
    const index = await context.loadIndex(signal);
    const writer = new BlobWriter(context, signal);
    const reader = new BlobReader(context, index);
    const replacement = new Replacement(context, writer, everything, options, guard);
    for (const snapshot of snapshots) {
      options.onSnapshot?.(snapshot);
      const target = { reader, index, writer: dryRun ? undefined : writer, signal };
      const contents = await rewriteContents(snapshot, change, options, target);
      const record = changedRecord(snapshot, contents, change, options);
      if (record !== undefined) await replacement.add(snapshot, record);
    }
    return replacement.finish();
  });
}

type Contents = Pick<Snapshot, 'tree' | 'summary'>;

/** The tree without what is excluded, and a summary that counts what is left. */
async function rewriteContents(
  { tree, summary }: Snapshot,
  { exclude = [], excludeAnyCase = [], summary: wantsSummary = false }: SnapshotChange,
  { onFinding }: RewriteOptions,
  target: TreeTarget,
): Promise<Contents> {
  const [exact, anyCase] = [compilePatterns(exclude), compilePatterns(excludeAnyCase, { ignoreCase: true })];
  if (exact.count + anyCase.count === 0 && !wantsSummary) return { tree, ...(summary && { summary }) };
  let [files, bytes] = [0, 0];
  const rewriter = new TreeRewriter(
    {
      entry: (node, path) => {
        if (!exact.matches(path).match && !anyCase.matches(path).match) return node;
        onFinding?.({ severity: 'note', code: 'excluded', message: `excluded ${showPath(path)}`, subject: path });
        return undefined;
      },
      kept: ({ type, size }: Node) => {
        files += type === 'file' ? 1 : 0;
        bytes += type === 'file' ? size : 0;
      },
      unreadable: (_, error) => {
        throw error;
      },
      pathless: false,
      lossless: true,
    },
    target,
  );
  const rewritten = (await rewriter.rewrite(tree)) ?? tree;
  const counted = { ...(summary ?? EMPTY_SUMMARY), total_files_processed: files, total_bytes_processed: bytes };
  return { tree: rewritten, summary: counted };
}

const EMPTY_SUMMARY: SnapshotSummary = {
  backup_start: NO_TIME,
  backup_end: NO_TIME,
  files_new: 0,
  files_changed: 0,
  files_unmodified: 0,
  dirs_new: 0,
  dirs_changed: 0,
  dirs_unmodified: 0,
  data_blobs: 0,
  tree_blobs: 0,
  data_added: 0,
  data_added_packed: 0,
  total_files_processed: 0,
  total_bytes_processed: 0,
};

/** The new snapshot's record, or undefined where nothing changes. */
function changedRecord(
  snapshot: Snapshot,
  { tree, summary }: Contents,
  { hostname, time }: SnapshotChange,
  { forget }: RewriteOptions,
): Omit<Snapshot, 'id'> | undefined {
  const { id, ...record } = snapshot;
  const isSame = tree === snapshot.tree && isSameSummary(summary, snapshot.summary);
  if (isSame && hostname === undefined && time === undefined) return undefined;
  const kept = tree === snapshot.tree ? record.tags : record.tags && withoutProof(record.tags);
  const tags = forget ? kept : [...new Set([...(kept ?? []), TAG])];
  return {
    ...record,
    tree,
    original: id,
    ...(summary && { summary }),
    ...(tags && { tags }),
    ...(hostname !== undefined && { hostname }),
    ...(time && { time: formatTime(BigInt(time.getTime()) * 1_000_000n) }),
  };
}

/** A rewrite changes these two alone. */
function isSameSummary(a: SnapshotSummary | undefined, b: SnapshotSummary | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.total_files_processed === b.total_files_processed && a.total_bytes_processed === b.total_bytes_processed;
}

function requireChange({ exclude = [], excludeAnyCase = [], hostname, time, summary }: SnapshotChange): void {
  const wrong = malformedPatterns([...exclude, ...excludeAnyCase]);
  if (wrong.length > 0) throw new RespaldoError('usage', `malformed pattern: ${wrong.join(', ')}`);
  if (hostname === '') throw new RespaldoError('usage', 'the new host has no name');
  const isNothing = exclude.length + excludeAnyCase.length === 0 && hostname === undefined && time === undefined;
  if (isNothing && summary !== true)
    throw new RespaldoError('usage', 'nothing to change', {
      hint: 'Give --exclude, --new-host, --new-time or --snapshot-summary.',
    });
}
