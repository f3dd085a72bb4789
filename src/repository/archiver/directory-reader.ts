/** A worker's part of a directory: its entries become nodes, its files blobs. */
import { readdirSync } from 'node:fs';
import { systemClock } from '../../clock.ts';
import { compareNames, decodeName } from '../../domain/name.ts';
import type { Finding } from '../../domain/finding.ts';
import { RespaldoError } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import { isSameInstant, statPath } from '../filesystem/stat.ts';
import type { Stat } from '../format/stat.ts';
import type { Sealer } from '../format/crypto.ts';
import { hashId, type Id } from '../format/id.ts';
import type { NodeMatcher } from '../format/node-match.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { joinTree } from '../format/tree.ts';
import type { KnownBlobs } from '../storage/known-blobs.ts';
import type { Moved } from '../workers/serve.ts';
import type { Accounts } from './accounts.ts';
import type { BlobSink } from './blob-sink.ts';
import type { Cutter } from './cutter.ts';
import { changedWhileRead, missed, unreadable } from './entry-findings.ts';
import { readFile, readSmallFile, SMALL_FILE, type ReadFile } from './file-reader.ts';
import { ItemLog } from './item-log.ts';
import { localNode } from './local-node.ts';
import { NodeRuns } from './node-runs.ts';
import { ParentNodes, type KeptNode } from './parent-nodes.ts';
import { isUnchanged, loadParent } from './parent-tree.ts';
import type {
  DirectoriesAnswer,
  DirectoryAnswer,
  DirectoryTask,
  FileTally,
  ListingAnswer,
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
  readonly matcher: NodeMatcher;
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
  for (const name of names) {
    const renewed = reading.entry(name);
    if (renewed !== undefined) await renewed;
    if (equipment.sink.isFull) await equipment.sink.relieve();
  }
  return reading.answer(false);
}

/** Sixty-four digits that stand for a subtree until it is known, and what closes the node behind them. */
const NO_SUBTREE = '0'.repeat(64);
const AFTER_SUBTREE = NO_SUBTREE.length + '"}'.length;

class DirectoryReading {
  readonly #task: DirectoryTask;
  readonly #selector: Selector;
  readonly #equipment: Equipment;
  #parent = new ParentNodes(new Uint8Array(0));
  /** Whether every node so far is the parent's. */
  #isSame = true;
  readonly #nodes = new NodeRuns();
  readonly #findings: Finding[] = [];
  readonly #tally: { -readonly [K in keyof FileTally]: number } = {
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    fileBytes: 0,
  };
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
    this.#parent = new ParentNodes(loadParent(parent, names, this.#equipment.sealer));
  }

  /** Undefined: done, as for most entries; else to be waited for. */
  entry(name: string): Promise<void> | undefined {
    const local = this.#task.local === '/' ? `/${name}` : `${this.#task.local}/${name}`;
    const isFree = this.#task.explicit !== true;
    try {
      if (isFree && this.#selector.excludes(local)) {
        this.#items?.excluded(local);
        return undefined;
      }
      const stat = statPath(fsPath(local));
      // restic leaves sockets out as well: they mean nothing without their process.
      if (stat.type === 'socket') return undefined;
      if (isFree && stat.type !== 'dir' && this.#selector.isTooLarge(stat.size)) {
        this.#items?.excluded(local);
        return undefined;
      }
      const isElsewhere = this.#task.device !== undefined && stat.device !== this.#task.device;
      if (isElsewhere && stat.type !== 'dir') return undefined;
      if (!isElsewhere && this.#keeps(name, local, stat)) return undefined;
      return this.#renew(name, local, stat, isElsewhere);
    } catch (error) {
      this.#unreadable(local, error, 'file');
      return undefined;
    }
  }

  answer(absent: boolean): Moved<DirectoryAnswer> {
    const { parts, hasOpen } = this.#nodes.finish();
    const isWhole = !absent && this.#task.names === undefined;
    const same = isWhole && this.#isSame && this.#parent.isExhausted ? this.#task.parent?.id : undefined;
    const finished = parts.filter((part) => part instanceof Uint8Array);
    const isComplete = isWhole && !hasOpen;
    const tree = isComplete ? this.#tree(finished, same) : undefined;
    const value: DirectoryAnswer = {
      kind: 'directory',
      parts: isComplete ? [] : parts,
      tree,
      same,
      tally: { ...this.#equipment.sink.tally(), ...this.#tally },
      findings: this.#findings,
      items: this.#items?.items ?? [],
      absent,
    };
    const moved = isComplete ? [tree?.bytes] : finished;
    return { value, transfer: moved.flatMap((bytes) => (bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : [])) };
  }

  #tree(nodes: readonly Uint8Array[], same: Id | undefined): NonNullable<DirectoryAnswer['tree']> {
    if (same !== undefined) return { id: same };
    const encoded = joinTree(nodes);
    const id = hashId(encoded);
    return this.#equipment.known.has('tree', id) ? { id } : { id, bytes: encoded };
  }

  /**
   * Whether the parent's node is the entry's node still. Its extended attributes and link target are not looked at:
   * neither can change without the change time.
   */
  #keeps(name: string, local: string, stat: Stat): boolean {
    const { matcher, known } = this.#equipment;
    if (this.#parent.isEmpty || this.#selector.reading.withAtime === true) return false;
    const node = this.#parent.keep(name, stat, matcher, known);
    if (node === undefined) return false;
    if (node.subtree !== undefined) this.#keepFolder(node, node.subtree, local, stat);
    else this.#nodes.kept(this.#parent.bytes, node.start, node.end);
    if (stat.type === 'file') {
      this.#tally.filesUnmodified += 1;
      this.#tally.fileBytes += stat.size;
      this.#items?.unchanged(local);
    }
    return true;
  }

  #keepFolder({ start }: KeptNode, subtree: number, local: string, { device }: Stat): void {
    const text = Buffer.from(this.#parent.bytes.subarray(start, subtree + NO_SUBTREE.length)).toString();
    const previous = text.slice(-NO_SUBTREE.length);
    this.#nodes.open({ kind: 'directory', json: text.slice(0, -NO_SUBTREE.length), local, device, previous });
  }

  /** The entry is new, or not as it was. A promise: it is being read. */
  #renew(name: string, local: string, stat: Stat, isElsewhere: boolean): Promise<void> | undefined {
    this.#isSame = false;
    const previous = this.#parent.take(name);
    const node = this.#node(name, local, stat);
    if (node.type === 'file') return this.#file(node, local, stat, previous);
    if (node.type === 'dir') this.#directory(node, local, stat, previous, isElsewhere);
    else this.#nodes.encoded(encodeNode(node));
    return undefined;
  }

  /** A folder on another file system stays as an empty one: the place where it is mounted. */
  #directory(node: Node, local: string, { device }: Stat, previous: Node | undefined, isMountPoint: boolean): void {
    const json = encodeNode({ ...node, subtree: NO_SUBTREE }).slice(0, -AFTER_SUBTREE);
    const kind = isMountPoint ? 'empty-directory' : 'directory';
    this.#nodes.open({ kind, json, local, device, previous: previous?.subtree });
  }

  #file(node: Node, local: string, stat: Stat, previous: Node | undefined): Promise<void> | undefined {
    const isKnown = previous?.type === 'file';
    if (
      previous !== undefined &&
      isUnchanged(stat, previous, this.#selector.reading) &&
      this.#holdsAll(previous.content)
    ) {
      this.#tally.filesUnmodified += 1;
      this.#tally.fileBytes += node.size;
      this.#items?.unchanged(local);
      this.#nodes.encoded(encodeNode({ ...node, content: previous.content ?? [] }));
      return undefined;
    }
    if (node.size > LARGE_FILE) {
      this.#nodes.open({ kind: 'large-file', node, local, isKnown });
      return undefined;
    }
    this.#items?.begin();
    const { cutter, sink } = this.#equipment;
    const read = node.size < SMALL_FILE ? readSmallFile(local, cutter, sink) : undefined;
    if (read === undefined) return this.#readWhole(node, local, stat, isKnown);
    this.#add(node, local, stat, isKnown, read);
    return undefined;
  }

  async #readWhole(node: Node, local: string, stat: Stat, isKnown: boolean): Promise<void> {
    try {
      const read = await readFile(local, this.#equipment.cutter, this.#equipment.sink);
      this.#add(node, local, stat, isKnown, read);
    } catch (error) {
      this.#unreadable(local, error, 'file');
    }
  }

  #add(node: Node, local: string, stat: Stat, isKnown: boolean, read: ReadFile): void {
    const described = isOther(read.stat, stat) ? this.#node(node.name, local, read.stat) : node;
    if (described.type !== 'file') throw new RespaldoError('source-lost', 'it is no longer a file');
    if (read.changed) this.#findings.push(changedWhileRead(local));
    if (isKnown) this.#tally.filesChanged += 1;
    else this.#tally.filesNew += 1;
    this.#tally.fileBytes += read.size;
    this.#items?.end(local, isKnown);
    this.#nodes.encoded(encodeNode({ ...described, size: read.size, content: read.content }));
  }

  #node(name: string, local: string, stat: Stat): Node {
    return localNode(name, local, stat, this.#equipment.accounts, this.#selector.reading.withAtime);
  }

  #holdsAll(content: readonly string[] | undefined): boolean {
    return (content ?? []).every((id) => this.#equipment.known.has('data', id));
  }

  #unreadable(local: string, error: unknown, what: 'file' | 'folder'): void {
    this.#findings.push(this.#task.explicit === true ? missed(local, error) : unreadable(local, error, what));
  }
}

/** What is in the file system's place by now is not what was looked at. */
function isOther(now: Stat, before: Stat): boolean {
  return now.inode !== before.inode || now.size !== before.size || !isSameInstant(now.mtime, before.mtime);
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
