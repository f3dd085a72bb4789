import { type Snapshot, totalsOf } from '../../domain/snapshot.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { indexUnreadable } from '../checker/findings.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import { nativeCalls } from '../filesystem/native.ts';
import type { RestoreOptions, Restored } from '../repository.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import { withLock } from '../storage/locks.ts';
import { CONFIG_KEY } from '../storage/objects.ts';
import { Crew } from '../workers/crew.ts';
import { keepMainHeapSmall } from '../workers/main-heap.ts';
import { usefulWorkers } from '../workers/thread.ts';
import { Batches, FAR, NEAR } from './batches.ts';
import { Deletion } from './deletion.ts';
import { EarlySync } from './early-sync.ts';
import { Files } from './files.ts';
import { Folders } from './folders.ts';
import { Intake } from './intake.ts';
import { makeLateEntries } from './late-entries.ts';
import { Losses } from './losses.ts';
import { RESTORER_SCRIPT } from './recruit.ts';
import { Removal } from './removal.ts';
import { attributeSelection, type Select, selection } from './selection.ts';
import { Tally } from './tally.ts';
import { Target } from './target.ts';
import { findTree, type LoadTree, pathComponents } from './tree-path.ts';
import { TreeReader } from './tree-reader.ts';
import { verify } from './verification.ts';
import { walk } from './walk.ts';
import type { Answer, Task, WorkerData } from './restorer-worker.ts';

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
  if (options.delete === true && options.overwrite === undefined)
    throw new RespaldoError('internal', 'to delete from a target is to change what is there: it needs a policy');
  const select = selection(options);
  const wantsAttribute = attributeSelection(options.attributes);
  const { objects, clock } = context;
  return withLock(objects, { exclusive: false, clock, signal, readOnly: true }, async (signal) => {
    // What a damaged index tells of is missing like what a damaged pack holds: the rest can be restored.
    const onDamaged = (id: Id, error: RespaldoError): void => options.onFinding?.(indexUnreadable(id, error.message));
    const index = await context.loadIndex(signal, { onDamaged });
    const run = new Run(context, index, snapshot, { ...options, wantsAttribute }, signal);
    return run.restore(target, select);
  });
}

interface RunOptions extends RestoreOptions {
  readonly wantsAttribute: ((name: string) => boolean) | undefined;
}

class Run {
  readonly #context: RepositoryContext;
  readonly #index: BlobIndex;
  readonly #snapshot: Snapshot;
  readonly #options: RunOptions;
  readonly #signal: AbortSignal;
  readonly #load: LoadTree;
  readonly #losses: Losses;
  readonly #tally: Tally;
  readonly #owners: boolean;
  readonly #dryRun: boolean;
  /** Files whose content is not this restore's; collected if they are to be told from the others. */
  readonly #untouched: Set<string> | undefined;
  #verified: number | undefined;

  constructor(
    context: RepositoryContext,
    index: BlobIndex,
    snapshot: Snapshot,
    options: RunOptions,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#index = index;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#signal = signal;
    const trees = new TreeReader(context, index);
    const { wantsAttribute } = options;
    this.#load = async (id) => {
      const nodes = await trees.nodes(id, signal);
      return wantsAttribute === undefined ? nodes : withAttributes(nodes, wantsAttribute);
    };
    this.#losses = new Losses(options.onFinding);
    this.#tally = new Tally(context.clock, options.onProgress, expectedTotals(snapshot, options), options.onItem);
    this.#owners = options.owners ?? process.geteuid?.() === 0;
    this.#dryRun = options.dryRun ?? false;
    this.#untouched = options.verify === true ? new Set() : undefined;
  }

  async restore(path: string, select: Select): Promise<Restored> {
    const tree = await findTree(this.#load, this.#snapshot.tree, this.#options.path ?? '/', this.#signal);
    const target = this.#prepare(path, await this.#load(tree, this.#signal));
    const folders = this.#folders(target);
    const early = new EarlySync(target.folder);
    await this.#restoreEntries(tree, select, target, folders, early);
    if (this.#options.delete === true) await new Deletion(this.#deletion(select)).run(target.folder, tree);
    folders.finish();
    if (!this.#dryRun) {
      await early.finish();
      folders.sync();
      if (!this.#losses.any) target.finish();
    }
    this.#losses.throwIfAny(this.#snapshot.id, target.folder);
    return {
      ...this.#tally.result,
      ...(this.#verified !== undefined && { filesVerified: this.#verified }),
      findings: this.#losses.findings,
    };
  }

  #prepare(path: string, nodes: Iterable<Node>): Target {
    const { include, exclude, iinclude = [], iexclude = [], overwrite } = this.#options;
    const from = `/${pathComponents(this.#options.path ?? '/').join('/')}`;
    const undertaking = { snapshot: this.#snapshot.id, path: from, include, exclude, iinclude, iexclude };
    return Target.prepare(path, undertaking, nodes, { shared: overwrite !== undefined, dryRun: this.#dryRun });
  }

  async #restoreEntries(
    tree: string,
    select: Select,
    target: Target,
    folders: Folders,
    early: EarlySync,
  ): Promise<void> {
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
      early,
      dryRun: this.#dryRun,
      ...(this.#untouched && { untouched: this.#untouched }),
      signal: this.#signal,
    });
    const intake = new Intake({ ...this.#shared(target), index: this.#index });
    const isNear = store.localPath?.(CONFIG_KEY) !== undefined;
    const batches = new Batches(isNear ? NEAR : FAR, (jobs) => files.restore(jobs));
    for await (const found of walk(folders.root, tree, this.#load, select, this.#losses, this.#signal)) {
      if (!folders.ensure(found.folder) || found.kind === 'folder') continue;
      const job = intake.take(found);
      if (job !== undefined) batches.add(job);
      if (batches.isFull) await batches.send();
    }
    await batches.finish();
    throwIfAborted(this.#signal);
    makeLateEntries(intake.late, this.#shared(target));
    if (this.#untouched !== undefined && !this.#dryRun) {
      const parts = { ...this.#reading(select), crew, index: this.#index, untouched: this.#untouched };
      this.#verified = await verify(folders.root, tree, parts);
    }
  }

  #hire(): Promise<Crew<Task, Answer>> {
    keepMainHeapSmall();
    const data: WorkerData = { key: this.#context.key, ...this.#writing() };
    const { recruits } = this.#context;
    return Crew.start({ script: RESTORER_SCRIPT, data, size: usefulWorkers(), recruits });
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
      ...(this.#options.delete === true && { removal: this.#removal() }),
      ...(this.#untouched && { untouched: this.#untouched }),
    };
  }

  #reading(select: Select) {
    return { load: this.#load, select, losses: this.#losses, signal: this.#signal };
  }

  #deletion(select: Select) {
    return { ...this.#reading(select), removal: this.#removal() };
  }

  #removal(): Removal {
    return new Removal({ tally: this.#tally, losses: this.#losses, dryRun: this.#dryRun, signal: this.#signal });
  }

  #writing() {
    return {
      owners: this.#owners,
      syncEach: nativeCalls() === undefined,
      sparse: this.#options.sparse ?? false,
    };
  }
}

function* withAttributes(nodes: Iterable<Node>, wants: (name: string) => boolean): Iterable<Node> {
  for (const node of nodes) {
    const attributes = node.extendedAttributes;
    yield attributes === undefined
      ? node
      : { ...node, extendedAttributes: attributes.filter(({ name }) => wants(name)) };
  }
}

function hasPatterns({ include, exclude, iinclude = [], iexclude = [] }: RestoreOptions): boolean {
  return [include, exclude, iinclude, iexclude].some((patterns) => patterns.length > 0);
}

/** What the snapshot's record says of the whole of it: enough for a progress bar before everything has been walked. */
function expectedTotals(snapshot: Snapshot, options: RestoreOptions): { files: number; bytes: number } {
  const isWhole = pathComponents(options.path ?? '/').length === 0;
  const { summary } = snapshot;
  if (summary === undefined || !isWhole || hasPatterns(options)) return { files: 0, bytes: 0 };
  const { files, folders, bytes } = totalsOf(summary);
  return { files: files + folders, bytes };
}
