/**
 * A repository that was backed up to for years, put together blob by blob: to take a thousand backups takes hours. It is
 * what backups leave: each snapshot shares most with the one before, and brought packs and an index of its own.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Sealer } from '../../src/repository/format/crypto.ts';
import { hashId, type Id } from '../../src/repository/format/id.ts';
import { encodeIndex } from '../../src/repository/format/index-file.ts';
import { openKeyFile } from '../../src/repository/format/key.ts';
import { encodeNode, goMode } from '../../src/repository/format/node.ts';
import { type BlobType, type FinishedPack, PackBuilder } from '../../src/repository/format/pack.ts';
import { encodeSnapshot } from '../../src/repository/format/snapshot-record.ts';
import { encodeTree } from '../../src/repository/format/tree.ts';
import { Objects, packKey } from '../../src/repository/storage/objects.ts';
import { openStore } from '../../src/stores/index.ts';
import type { Store } from '../../src/stores/store.ts';
import { compressed, source } from './content.ts';
import { Random } from './random.ts';

/** How a history went. */
export interface History {
  readonly snapshots: number;
  /** Each with as many files. */
  readonly folders: number;
  readonly files: number;
  /** Per snapshot. */
  readonly changedFolders: number;
  /** Per changed folder. */
  readonly changedFiles: number;
  /** The median size of a file, each of which is one blob. */
  readonly fileBytes: number;
}

const NEVER = new AbortController().signal;
const COMPRESSION = 2;
const FIRST_DAY = Date.UTC(2023, 0, 1, 3);
const DAY = 86_400_000;
const LARGEST_FILE = 400_000;

/** Fills the empty repository in `folder`. */
export async function writeHistory(folder: string, password: string, history: History): Promise<void> {
  const writer = await Writer.open(folder, password, history);
  for (let day = 0; day < history.snapshots; day++) await writer.snapshot(day);
}

/** Blobs that a history comes to, of both types. */
export function blobsOf(history: History): number {
  const first = history.folders * (history.files + 1) + 1;
  return first + (history.snapshots - 1) * (history.changedFolders * (history.changedFiles + 1) + 1);
}

class Writer {
  readonly #store: Store;
  readonly #objects: Objects;
  readonly #history: History;
  readonly #random = new Random('history');
  readonly #builders: Readonly<Record<BlobType, PackBuilder>>;
  /** Encoded nodes of each folder's files. */
  readonly #nodes: string[][];
  readonly #subtrees: Id[] = [];
  #finished: FinishedPack[] = [];

  static async open(folder: string, password: string, history: History): Promise<Writer> {
    const [keyFile = ''] = await readdir(join(folder, 'keys'));
    const key = await openKeyFile(await readFile(join(folder, 'keys', keyFile)), password);
    if (key === undefined) throw new Error(`the password does not open ${folder}`);
    return new Writer(await openStore(folder, {}), new Sealer(key), history);
  }

  private constructor(store: Store, sealer: Sealer, history: History) {
    this.#store = store;
    this.#objects = new Objects(store, sealer, 2);
    this.#history = history;
    this.#nodes = Array.from({ length: history.folders }, () => []);
    this.#builders = {
      data: new PackBuilder('data', sealer, COMPRESSION),
      tree: new PackBuilder('tree', sealer, COMPRESSION),
    };
  }

  async snapshot(day: number): Promise<void> {
    const { folders, files, changedFolders, changedFiles } = this.#history;
    const time = new Date(FIRST_DAY + day * DAY).toISOString();
    if (day === 0) for (let folder = 0; folder < folders; folder++) await this.#change(folder, 0, files, time);
    // A run of folders that moves on: in the end every one has changed as often as any other.
    for (let n = 0; n < changedFolders && day > 0; n++)
      await this.#change((day * changedFolders + n) % folders, this.#random.below(files), changedFiles, time);
    const tree = await this.#add('tree', encodeTree(this.#subtrees.map((id, n) => folderNode(n, id, time))));
    await this.#flush();
    const about = { time, tree, paths: ['/srv'], hostname: 'server', username: 'root' };
    await this.#objects.save('snapshot', encodeSnapshot(about), NEVER);
  }

  /** Gives `count` files of a folder, from `first` on, new content. */
  async #change(folder: number, first: number, count: number, time: string): Promise<void> {
    const nodes = this.#nodes[folder] ?? [];
    for (let n = 0; n < count; n++) {
      const file = (first + n) % this.#history.files;
      const content = this.#content();
      nodes[file] = fileNode(file, content.length, await this.#add('data', content), time);
    }
    this.#subtrees[folder] = await this.#add('tree', encodeTree(nodes));
  }

  /** A third of all files does not compress. */
  #content(): Uint8Array {
    const size = this.#random.size(this.#history.fileBytes, LARGEST_FILE);
    return (this.#random.below(3) === 0 ? compressed : source)(this.#random, size);
  }

  async #add(type: BlobType, bytes: Uint8Array): Promise<Id> {
    const id = hashId(bytes);
    const builder = this.#builders[type];
    builder.add(id, bytes);
    if (builder.isFull()) await this.#write(builder.finish());
    return id;
  }

  async #write(pack: FinishedPack): Promise<void> {
    await this.#store.write(packKey(pack.id), pack.bytes, NEVER);
    this.#finished.push(pack);
  }

  async #flush(): Promise<void> {
    for (const builder of Object.values(this.#builders)) if (builder.count > 0) await this.#write(builder.finish());
    await this.#objects.save('index', encodeIndex(this.#finished), NEVER);
    this.#finished = [];
  }
}

const owner = { uid: 0, gid: 0, user: 'root', group: 'root' };

function fileNode(n: number, size: number, id: Id, time: string): string {
  const name = `file-${String(n).padStart(5, '0')}`;
  const times = { mtime: time, atime: time, ctime: time };
  return encodeNode({
    ...{ name, type: 'file', mode: goMode('file', 0o644), ...times, ...owner },
    ...{ inode: BigInt(1_000_000 + n), deviceId: 65024n, size, links: 1, content: [id] },
  });
}

function folderNode(n: number, subtree: Id, time: string): string {
  const name = `folder-${String(n).padStart(5, '0')}`;
  const times = { mtime: time, atime: time, ctime: time };
  return encodeNode({ name, type: 'dir', mode: goMode('dir', 0o755), ...times, ...owner, size: 0, subtree });
}
