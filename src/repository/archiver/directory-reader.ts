/** A worker's part of a directory: its entries become nodes, its files blobs. */
import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { hash } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import { compareNames, decodeName } from '../../domain/name.ts';
import type { Finding } from '../../domain/finding.ts';
import { RespaldoError } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import type { Sealer } from '../format/crypto.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { joinTree } from '../format/tree.ts';
import type { KnownBlobs } from '../storage/known-blobs.ts';
import type { Moved } from '../workers/serve.ts';
import type { Accounts } from './accounts.ts';
import type { BlobSink } from './blob-sink.ts';
import type { Cutter } from './cutter.ts';
import { changedWhileRead, missed, unreadable } from './entry-findings.ts';
import { readFile } from './file-reader.ts';
import { kindOf, localNode } from './local-node.ts';
import { ItemLog } from './item-log.ts';
import { isUnchanged, loadParent } from './parent-tree.ts';
import type {
  DirectoriesAnswer,
  DirectoryAnswer,
  DirectoryTask,
  FileTally,
  ListingAnswer,
  OpenNode,
  ParentTree,
} from './protocol.ts';
import type { Selector } from './selector.ts';

/** Larger files are read by the main thread and cut up for all workers. */
const LARGE_FILE = 32 * 1024 * 1024;

export interface Equipment {
  readonly sink: BlobSink;
  readonly cutter: Cutter;
  readonly sealer: Sealer;
  readonly known: KnownBlobs;
  readonly accounts: Accounts;
  readonly tellItems: boolean;
}

/** More entries than this are read in slices of as many, by all workers. */
export const SLICE = 2000;

/** After this long a worker gives the rest of its batch back, so that no other idles while it has much to do. */
const BATCH_MS = 40;

/** Answers to the first tasks, in their order; at least to one. */
export async function readDirectories(
  tasks: readonly DirectoryTask[],
  selectorOf: (number: number) => Selector,
  equipment: Equipment,
): Promise<Moved<DirectoriesAnswer>> {
  const started = systemClock.monotonic();
  const answers: Moved<DirectoryAnswer | ListingAnswer>[] = [];
  for (const task of tasks) {
    answers.push(await readDirectory(task, selectorOf(task.selection), equipment));
    if (systemClock.monotonic() - started > BATCH_MS) break;
  }
  return {
    value: { kind: 'directories', answers: answers.map(({ value }) => value) },
    transfer: answers.flatMap(({ transfer }) => transfer),
  };
}

async function readDirectory(
  task: DirectoryTask,
  selector: Selector,
  equipment: Equipment,
): Promise<Moved<DirectoryAnswer | ListingAnswer>> {
  const reading = new DirectoryReading(task, selector, equipment);
  const names = task.names ?? reading.names();
  if (names === undefined) return reading.answer(true);
  if (task.names === undefined && names.length > SLICE) return { value: { kind: 'listing', names }, transfer: [] };
  reading.compareWith(task.parent, names);
  for (const name of names) await reading.entry(name);
  return reading.answer(false);
}

class DirectoryReading {
  readonly #task: DirectoryTask;
  readonly #selector: Selector;
  readonly #equipment: Equipment;
  #parent: ReadonlyMap<string, Node> = new Map();
  readonly #parts: (Uint8Array | OpenNode)[] = [];
  readonly #findings: Finding[] = [];
  readonly #tally: { -readonly [K in keyof FileTally]: number } = {
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    fileBytes: 0,
  };
  /** Nodes since the last open one. */
  #run: string[] = [];
  readonly #items: ItemLog | undefined;

  constructor(task: DirectoryTask, selector: Selector, equipment: Equipment) {
    this.#task = task;
    this.#selector = selector;
    this.#equipment = equipment;
    this.#items = equipment.tellItems ? new ItemLog(equipment.sink) : undefined;
  }

  /** Sorted by bytes; undefined if the directory cannot be listed, which is then a finding. */
  names(): readonly string[] | undefined {
    try {
      const names = listNames(this.#task.local);
      const kept = this.#selector.namesToKeep(this.#task.local, names);
      if (kept !== names) this.#items?.dropped(this.#task.local, names, kept);
      return kept;
    } catch (error) {
      this.#unreadable(this.#task.local, error, 'folder');
      return undefined;
    }
  }

  compareWith(parent: ParentTree | undefined, names: readonly string[]): void {
    this.#parent = loadParent(parent, names, this.#equipment.sealer);
  }

  async entry(name: string): Promise<void> {
    const local = this.#task.local === '/' ? `/${name}` : `${this.#task.local}/${name}`;
    try {
      if (this.#task.explicit !== true && this.#selector.excludes(local)) return this.#items?.excluded(local);
      const stats = lstatSync(fsPath(local), { bigint: true });
      const kind = kindOf(stats);
      // restic leaves sockets out as well: they mean nothing without their process.
      if (kind === 'socket') return;
      if (kind !== 'dir' && this.#task.explicit !== true && this.#selector.isTooLarge(stats.size))
        return this.#items?.excluded(local);
      const elsewhere = this.#task.device !== undefined && stats.dev !== this.#task.device;
      if (elsewhere && kind !== 'dir') return;
      const node = localNode(name, local, stats, this.#equipment.accounts, this.#selector.reading.withAtime);
      if (kind === 'dir') this.#directory(node, local, stats, elsewhere);
      else if (kind === 'file') await this.#file(node, local, stats);
      else this.#run.push(encodeNode(node));
    } catch (error) {
      this.#unreadable(local, error, 'file');
    }
  }

  answer(absent: boolean): Moved<DirectoryAnswer> {
    this.#closeRun();
    const finished = this.#parts.filter((part) => part instanceof Uint8Array);
    const isComplete = !absent && this.#task.names === undefined && finished.length === this.#parts.length;
    const tree = isComplete ? this.#tree(finished) : undefined;
    const value: DirectoryAnswer = {
      kind: 'directory',
      parts: isComplete ? [] : this.#parts,
      tree,
      tally: { ...this.#equipment.sink.tally(), ...this.#tally },
      findings: this.#findings,
      items: this.#items?.items ?? [],
      absent,
    };
    const moved = isComplete ? [tree?.bytes] : finished;
    return { value, transfer: moved.flatMap((bytes) => (bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : [])) };
  }

  #tree(nodes: readonly Uint8Array[]): DirectoryAnswer['tree'] {
    const encoded = joinTree(nodes);
    const digest = hash('sha256', encoded, 'buffer');
    const id = digest.toString('hex');
    return this.#equipment.known.has('tree', digest) ? { id } : { id, bytes: ownBuffer(encoded) };
  }

  /** A folder on another file system stays as an empty one: the place where it is mounted. */
  #directory(node: Node, local: string, stats: BigIntStats, isMountPoint: boolean): void {
    const previous = this.#parent.get(node.name);
    this.#open({
      kind: isMountPoint ? 'empty-directory' : 'directory',
      node,
      local,
      device: stats.dev,
      isKnown: previous?.type === 'dir',
      previous: previous?.subtree,
    });
  }

  async #file(node: Node, local: string, stats: BigIntStats): Promise<void> {
    const previous = this.#parent.get(node.name);
    if (
      previous !== undefined &&
      isUnchanged(stats, previous, this.#selector.reading) &&
      this.#holdsAll(previous.content)
    ) {
      this.#tally.filesUnmodified += 1;
      this.#tally.fileBytes += node.size;
      this.#items?.unchanged(local);
      this.#run.push(encodeNode({ ...node, content: previous.content ?? [] }));
      return;
    }
    if (node.size > LARGE_FILE) {
      const isKnown = previous?.type === 'file';
      this.#open({ kind: 'large-file', node, local, device: stats.dev, isKnown, previous: undefined });
      return;
    }
    this.#items?.begin();
    const read = await readFile(local, this.#equipment.cutter, this.#equipment.sink);
    const isOther =
      read.stats.ino !== stats.ino || read.stats.mtimeNs !== stats.mtimeNs || read.stats.size !== stats.size;
    const { withAtime } = this.#selector.reading;
    const described = isOther ? localNode(node.name, local, read.stats, this.#equipment.accounts, withAtime) : node;
    if (described.type !== 'file') throw new RespaldoError('source-lost', 'it is no longer a file');
    if (read.changed) this.#findings.push(changedWhileRead(local));
    if (previous?.type === 'file') this.#tally.filesChanged += 1;
    else this.#tally.filesNew += 1;
    this.#tally.fileBytes += read.size;
    this.#items?.end(local, previous?.type === 'file');
    this.#run.push(encodeNode({ ...described, size: read.size, content: read.content }));
  }

  #holdsAll(content: readonly string[] | undefined): boolean {
    return (content ?? []).every((id) => this.#equipment.known.has('data', Buffer.from(id, 'hex')));
  }

  #open(node: OpenNode): void {
    this.#closeRun();
    this.#parts.push(node);
  }

  #closeRun(): void {
    if (this.#run.length === 0) return;
    this.#parts.push(ownBuffer(Buffer.from(this.#run.join(','))));
    this.#run = [];
  }

  #unreadable(local: string, error: unknown, what: 'file' | 'folder'): void {
    this.#findings.push(this.#task.explicit === true ? missed(local, error) : unreadable(local, error, what));
  }
}

/** Names sorted by their bytes. Reading them as text is much faster; bytes are asked for where text loses something. */
function listNames(local: string): string[] {
  const path = fsPath(local);
  const text = readdirSync(path);
  const lossy = text.some((name) => name.includes('\ufffd'));
  const names = lossy ? readdirSync(path, { encoding: 'buffer' }).map(decodeName) : text;
  return names.every(isAscii) ? names.sort() : names.sort(compareNames);
}

const ASCII = /^[\x20-\x7e]*$/;
function isAscii(name: string): boolean {
  return ASCII.test(name);
}

/** Bytes that own their whole buffer, so that they can be moved to another thread. */
function ownBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
