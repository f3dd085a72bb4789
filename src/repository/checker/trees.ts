/** Whether every tree can be read, and every blob that trees need is known. */
import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { parseTree } from '../format/tree.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { type TreeVisitor, TreeWalk } from '../storage/tree-walk.ts';
import * as found from './findings.ts';
import type { Losses } from './losses.ts';

/** Snapshots walked at once: enough to read their trees in company, few enough to show progress. */
const SNAPSHOTS_AT_ONCE = 16;

export async function* checkTrees(
  context: RepositoryContext,
  index: BlobIndex,
  snapshots: readonly Snapshot[],
  losses: Losses,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  const check = new TreeCheck(index, losses);
  const walk = new TreeWalk(context, index, check);
  for (let at = 0; at < snapshots.length; at += SNAPSHOTS_AT_ONCE) {
    onProgress(at, snapshots.length);
    const roots = snapshots.slice(at, at + SNAPSHOTS_AT_ONCE).map(({ tree }) => tree);
    await walk.visit(roots, signal);
    yield* check.take();
  }
  onProgress(snapshots.length, snapshots.length);
}

class TreeCheck implements TreeVisitor {
  readonly #index: BlobIndex;
  readonly #losses: Losses;
  readonly #missing = new Set<Id>();
  #findings: Finding[] = [];

  constructor(index: BlobIndex, losses: Losses) {
    this.#index = index;
    this.#losses = losses;
  }

  /** What was found since the last time. */
  take(): readonly Finding[] {
    const findings = this.#findings;
    this.#findings = [];
    return findings;
  }

  tree(id: Id, content: Uint8Array): Id[] {
    const nodes = parseTree(content);
    for (const node of nodes) {
      if (node.type === 'dir' && node.subtree === undefined)
        this.#findings.push(found.treeInvalid(id, `the folder ${JSON.stringify(node.name)} has no tree`));
      if (node.type === 'file' && node.content === undefined)
        this.#findings.push(found.treeInvalid(id, `the file ${JSON.stringify(node.name)} has no list of blobs`));
      for (const blob of node.content ?? []) if (!this.#index.has('data', blob)) this.#blobMissing(blob, id);
    }
    return nodes.flatMap(({ subtree }) => subtree ?? []);
  }

  missing(id: Id): void {
    this.#losses.addBlob('tree', id);
    this.#findings.push(found.rootMissing(id));
  }

  damaged(place: { readonly id: Id; readonly pack: Id }, error: Error): void {
    this.#losses.addBlob('tree', place.id);
    this.#findings.push(found.treeDamaged(place.id, place.pack, error.message));
  }

  /** Told once, however many files need it. */
  #blobMissing(blob: Id, tree: Id): void {
    if (this.#missing.has(blob)) return;
    this.#missing.add(blob);
    this.#losses.addBlob('data', blob);
    this.#findings.push(found.blobMissing('data', blob, tree));
  }
}
