/** Saves entries as a snapshot. */
import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import { INCOMPLETE_TAG } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { PackBuilder } from '../format/pack.ts';
import type { About, Saved, SaveOptions } from '../repository.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { Claims } from '../storage/claims.ts';
import type { Guard } from '../storage/held-lock.ts';
import { withLock } from '../storage/locks.ts';
import { Crew } from '../workers/crew.ts';
import { keepMainHeapSmall } from '../workers/main-heap.ts';
import { usefulWorkers } from '../workers/thread.ts';
import { Batches } from './batches.ts';
import { begun } from './begun.ts';
import { BlobSink } from './blob-sink.ts';
import { difference } from './item-log.ts';
import { keptTree } from './kept-tree.ts';
import { LocalWalk } from './local-walk.ts';
import { PackWriter } from './pack-writer.ts';
import { Parents } from './parents.ts';
import { ProgressMeter } from './progress-meter.ts';
import type { Answer, FilledPack, Task, WorkerData } from './protocol.ts';
import { writeRecord } from './record.ts';
import { ARCHIVER_SCRIPT } from './recruit.ts';
import { Scan } from './scan.ts';
import type { Saving } from './saving.ts';
import { StreamSaver } from './stream-saver.ts';
import { Tally } from './tally.ts';
import { TreeBuilder } from './tree-builder.ts';

/** Each is a thread of its own, and takes memory. */
const MOST_READERS = 32;

export async function save(
  context: RepositoryContext,
  entries: AsyncIterable<Entry>,
  about: About,
  options: SaveOptions,
  signal: AbortSignal,
): Promise<Saved> {
  const { objects, clock } = context;
  return withLock(objects, { exclusive: false, clock, signal }, async (signal, lock) => {
    const index = await context.loadIndex(signal);
    const run = new Run(context, index, options, lock);
    return run.finish(() => run.save(entries, about));
  });
}

/** One save: what it writes with, what it has counted. */
class Run {
  readonly #context: RepositoryContext;
  readonly #options: SaveOptions;
  readonly #lock: Guard;
  readonly #signal: AbortSignal;
  readonly #index: BlobIndex;
  readonly #packs: PackWriter;
  readonly #claims: Claims;
  readonly #workerData: WorkerData;
  readonly #tally = new Tally();
  readonly #findings: Finding[] = [];
  readonly #meter: ProgressMeter;
  #crew: Crew<Task, Answer, FilledPack> | undefined;

  constructor(context: RepositoryContext, index: BlobIndex, options: SaveOptions, lock: Guard) {
    const { signal } = lock;
    const { objects, clock, key, config } = context;
    this.#context = context;
    this.#options = options;
    this.#lock = lock;
    this.#signal = signal;
    this.#index = index;
    this.#packs = new PackWriter(objects, clock, signal);
    const claims = Claims.create(index.shared());
    this.#claims = new Claims(claims);
    this.#meter = new ProgressMeter(clock, this.#tally, options);
    this.#workerData = {
      key,
      claims,
      polynomial: config.polynomial,
      packing: context.packing,
      dryRun: options.dryRun ?? false,
      tellItems: options.onItem !== undefined,
    };
  }

  async save(entries: AsyncIterable<Entry>, about: About): Promise<Saved> {
    const startedAt = this.#context.clock.now();
    keepMainHeapSmall();
    await using begunEntries = begun(entries);
    const crew = await this.#hire();
    await using scan = new Scan();
    this.#meter.against(() => scan.totals);
    const saving = this.#saving(crew);
    const parentRoot = about.parent?.tree;
    const builder = new TreeBuilder(
      BigInt(about.time.getTime()) * 1_000_000n,
      process.getuid?.() ?? 0,
      process.getgid?.() ?? 0,
    );

    let walks = 0;
    for await (const entry of begunEntries) {
      this.#signal.throwIfAborted();
      if (entry.kind === 'local-tree') {
        if (this.#options.estimate === true) scan.begin(entry);
        const nodes = await new LocalWalk(saving, entry, walks++).save(parentRoot);
        for (const node of nodes) builder.top(node);
      } else if (entry.kind === 'kept-tree') builder.kept(entry.path, await keptTree(entry.path, parentRoot, saving));
      else await this.#take(entry, saving, builder);
    }
    await saving.batches.drain();
    if (builder.isEmpty)
      throw new RespaldoError('source-missing', 'there is nothing to back up', {
        hint: 'Check the paths and the exclusions.',
      });

    const tree = await builder.store(saving, parentRoot);
    await crew.all({ kind: 'flush' });
    await saving.trees.flush();
    this.#tally.addBlobs('tree', saving.trees.tally());
    await this.#packs.writeIndex();
    this.#signal.throwIfAborted();

    const summary = this.#tally.summary(startedAt, this.#context.clock.now(), this.#findings);
    this.#meter.last();
    const isUnchanged = this.#options.skipIfUnchanged === true && tree === parentRoot;
    if (this.#options.dryRun === true || isUnchanged) return { summary };
    // A prune may have run while this machine slept: then what the snapshot needs is gone.
    await this.#lock.confirm();
    return {
      snapshot: await writeRecord(this.#context.objects, tree, this.#marked(about), summary, this.#signal),
      summary,
    };
  }

  /** Does the work and stops the workers, whatever happens. An abort's reason is the error. */
  async finish(work: () => Promise<Saved>): Promise<Saved> {
    const stop = (): void => void this.#crew?.close();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      return await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    } finally {
      this.#signal.removeEventListener('abort', stop);
      await this.#crew?.close();
    }
  }

  async #take(
    entry: Exclude<Entry, { kind: 'local-tree' | 'kept-tree' }>,
    saving: Saving,
    builder: TreeBuilder,
  ): Promise<void> {
    switch (entry.kind) {
      case 'directory':
        builder.directory(entry);
        return;
      case 'symlink':
        builder.symlink(entry);
        return;
      case 'file': {
        saving.progress(entry.path);
        const [before, began] = [saving.batches.added, this.#context.clock.monotonic()];
        const { content, size } = await saving.streams.save(entry.content, entry.cut ?? 'content');
        // Only then it is known how much of it was new.
        if (saving.tell !== undefined) await saving.batches.drain();
        const milliseconds = this.#context.clock.monotonic() - began;
        builder.file(entry, size, content, { added: difference(saving.batches.added, before), milliseconds });
      }
    }
  }

  async #hire(): Promise<Crew<Task, Answer, FilledPack>> {
    this.#crew = await Crew.start<Task, Answer, FilledPack>({
      script: ARCHIVER_SCRIPT,
      data: this.#workerData,
      size: Math.min(this.#options.readConcurrency ?? usefulWorkers(), MOST_READERS),
      recruits: this.#context.recruits,
      onEvent: async (pack) => {
        const room = await this.#packs.write(this.#context.store, pack);
        this.#growClaims();
        return room;
      },
    });
    return this.#crew;
  }

  #saving(crew: Crew<Task, Answer, FilledPack>): Saving {
    const { nearby, sealer, config, packing } = this.#context;
    const builder =
      this.#options.dryRun === true ? undefined : new PackBuilder('tree', sealer, packing.levels.tree, packing);
    const batches = new Batches(crew, (tally) => {
      this.#tally.addBlobs('data', tally);
      this.#growClaims();
    });
    return {
      crew,
      batches,
      trees: new BlobSink('tree', this.#claims, builder, (pack) => this.#packs.write(nearby, pack)),
      streams: new StreamSaver(batches, config.polynomial, (bytes) => {
        this.#meter.streamed(bytes);
      }),
      parents: new Parents(this.#context, this.#index, this.#signal),
      tally: this.#tally,
      signal: this.#signal,
      report: (finding) => {
        this.#findings.push(finding);
        this.#options.onFinding?.(finding);
      },
      tell: this.#options.onItem,
      progress: (current) => {
        this.#growClaims();
        this.#meter.tick(this.#findings.length, current);
      },
    };
  }

  #growClaims(): void {
    if (!this.#claims.needsGrowth()) return;
    const segment = this.#claims.grow();
    // Behind what each worker has queued already; a worker that ends meanwhile fails its other tasks too.
    this.#crew?.all({ kind: 'claims', segment }).catch(() => undefined);
  }

  #marked(about: About): About {
    const isIncomplete =
      this.#findings.some(({ severity }) => severity === 'incomplete') || this.#options.sourceIncomplete?.() === true;
    return isIncomplete && !about.tags.includes(INCOMPLETE_TAG)
      ? { ...about, tags: [...about.tags, INCOMPLETE_TAG] }
      : about;
  }
}
