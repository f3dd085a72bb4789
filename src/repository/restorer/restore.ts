import type { Snapshot } from '../../domain/snapshot.ts';
import { throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Node } from '../format/node.ts';
import { nativeCalls } from '../filesystem/native.ts';
import type { RestoreOptions, Restored } from '../repository.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import { withLock } from '../storage/locks.ts';
import { Crew, usefulWorkers, workerScript } from '../workers/crew.ts';
import { keepMainHeapSmall } from '../workers/main-heap.ts';
import { Batches } from './batches.ts';
import { Files } from './files.ts';
import { Folders } from './folders.ts';
import { Intake } from './intake.ts';
import { makeLateEntries } from './late-entries.ts';
import { Losses } from './losses.ts';
import { type Select, selection } from './selection.ts';
import { Tally } from './tally.ts';
import { Target } from './target.ts';
import { findTree, type LoadTree, pathComponents } from './tree-path.ts';
import { TreeReader } from './tree-reader.ts';
import { walk } from './walk.ts';
import type { Answer, Task, WorkerData } from './worker.ts';

/**
 * See {@link Repository.restore}. Folders are made and files planned on this thread, batch by batch; worker threads
 * read packs, verify blobs and write files. Then come hard links, special files and symlinks, then the folders'
 * metadata, then one sync of the file system.
 *
 * While it is unfinished, a marker in the target says so; it stays if anything could not be restored.
 */
export async function restore(
  context: RepositoryContext,
  snapshot: Snapshot,
  target: string,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<Restored> {
  const select = selection(options.include, options.exclude);
  const { objects, clock } = context;
  return withLock(objects, { exclusive: false, clock, signal, readOnly: true }, async (signal) => {
    const index = await context.loadIndex(signal);
    const run = new Run(context, index, snapshot, options, signal);
    return run.restore(target, select);
  });
}

class Run {
  readonly #context: RepositoryContext;
  readonly #index: BlobIndex;
  readonly #snapshot: Snapshot;
  readonly #options: RestoreOptions;
  readonly #signal: AbortSignal;
  readonly #load: LoadTree;
  readonly #losses: Losses;
  readonly #tally: Tally;
  readonly #owners: boolean;
  readonly #dryRun: boolean;

  constructor(
    context: RepositoryContext,
    index: BlobIndex,
    snapshot: Snapshot,
    options: RestoreOptions,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#index = index;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#signal = signal;
    const trees = new TreeReader(context, index);
    this.#load = (id) => trees.nodes(id, signal);
    this.#losses = new Losses(options.onFinding);
    this.#tally = new Tally(context.clock, options.onProgress, expectedTotals(snapshot, options));
    this.#owners = options.owners ?? process.geteuid?.() === 0;
    this.#dryRun = options.dryRun ?? false;
  }

  async restore(path: string, select: Select): Promise<Restored> {
    const tree = await findTree(this.#load, this.#snapshot.tree, this.#options.path ?? '/', this.#signal);
    const target = this.#prepare(path, await this.#load(tree, this.#signal));
    const folders = this.#folders(target);
    const intake = new Intake({ ...this.#shared(target), index: this.#index });

    await this.#restoreFiles(tree, select, folders, intake);
    throwIfAborted(this.#signal);
    makeLateEntries(intake.late, this.#shared(target));
    folders.finish();
    if (!this.#dryRun) {
      folders.sync();
      if (!this.#losses.any) target.finish();
    }
    this.#losses.throwIfAny(this.#snapshot.id, target.folder);
    return { ...this.#tally.result, findings: this.#losses.findings };
  }

  #prepare(path: string, nodes: Iterable<Node>): Target {
    const { include, exclude, overwrite } = this.#options;
    const from = `/${pathComponents(this.#options.path ?? '/').join('/')}`;
    const undertaking = { snapshot: this.#snapshot.id, path: from, include, exclude };
    return Target.prepare(path, undertaking, nodes, { shared: overwrite !== undefined, dryRun: this.#dryRun });
  }

  async #restoreFiles(tree: string, select: Select, folders: Folders, intake: Intake): Promise<void> {
    await using crew = await this.#hire();
    const { store } = this.#context;
    const files = new Files({
      ...this.#writing(),
      store,
      crew,
      index: this.#index,
      blobs: new BlobReader(this.#context, this.#index),
      tally: this.#tally,
      losses: this.#losses,
      dryRun: this.#dryRun,
      signal: this.#signal,
    });
    const batches = new Batches((jobs) => files.restore(jobs));
    for await (const found of walk(folders.root, tree, this.#load, select, this.#losses, this.#signal)) {
      if (!folders.ensure(found.folder) || found.kind === 'folder') continue;
      const job = intake.take(found);
      if (job !== undefined) batches.add(job);
      if (batches.isFull) await batches.send();
    }
    await batches.finish();
  }

  #hire(): Promise<Crew<Task, Answer>> {
    keepMainHeapSmall();
    const data: WorkerData = { key: this.#context.key, ...this.#writing() };
    return Crew.start({ script: workerScript(import.meta.url, 'worker'), data, size: usefulWorkers() });
  }

  #folders(target: Target): Folders {
    const options = {
      fresh: target.state === 'fresh',
      replace: this.#options.overwrite !== 'never',
      owners: this.#owners,
      dryRun: this.#dryRun,
    };
    return new Folders(target.folder, options, this.#tally, this.#losses);
  }

  #shared(target: Target) {
    return {
      state: target.state,
      overwrite: this.#options.overwrite,
      owners: this.#owners,
      dryRun: this.#dryRun,
      tally: this.#tally,
      losses: this.#losses,
    };
  }

  #writing() {
    return { owners: this.#owners, syncEach: nativeCalls() === undefined };
  }
}

/** What the snapshot's record says of the whole of it: enough for a progress bar before everything has been walked. */
function expectedTotals(snapshot: Snapshot, options: RestoreOptions): { files: number; bytes: number } {
  const isWhole = pathComponents(options.path ?? '/').length === 0;
  const { summary } = snapshot;
  if (summary === undefined || !isWhole || options.include.length + options.exclude.length > 0)
    return { files: 0, bytes: 0 };
  const folders = summary.dirs_new + summary.dirs_changed + summary.dirs_unmodified;
  return { files: summary.total_files_processed + folders, bytes: summary.total_bytes_processed };
}
