import { chooseBlock } from '../../../domain/block-size.ts';
import type { Cut, Entry, Metadata } from '../../../domain/entry.ts';
import { ParentBlocks } from '../../../domain/parent-blocks.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import { encodeFacts, FACTS_PATH } from '../../server/snapshot-facts.ts';
import type { CaptureOptions, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { streamBackup } from './backup-program.ts';
import { whyEverything } from './base.ts';
import { CopiedFiles } from './copied-files.ts';
import { findPhysicalFacts, serverOf, type ChainLink, type PhysicalFacts } from './facts.ts';
import type { StreamFile } from './stream-files.ts';
import { survey, type Survey } from './survey.ts';

/** Of the copy that holds everything; those after it are in folders of their own. */
const DATA = '/data';
const INCREMENTS = '/increments';

/** A restore applies one after the other; whoever asks for increments alone gets a full after so many. */
const LONGEST_CHAIN = 30;

/** Pages of InnoDB: they are changed in place. A new table's file has another ending until the copy is prepared. */
const PAGED = /(?:\.ibd|\.new|(?:^|\/)(?:ibdata|undo)\d+)$/;

/**
 * The files of a server as entries: `/data`, `/increments/<n>`, and `/respaldo.json` last. An increment holds what was
 * changed since another snapshot, and beside it all that it is put together with, taken over from there: every snapshot
 * can be restored without any other. Ends normally only after the program has ended well and said so, and its stream was
 * whole.
 */
export async function* captureFiles(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
  options: CaptureOptions,
): AsyncGenerator<Entry> {
  const found = await survey(address, given, io);
  const base = await findBase(found, options, io);
  const links = base?.chain ?? [];
  const folder = base === undefined ? DATA : `${INCREMENTS}/${String(links.length)}`;
  const metadata = { ...dumpMetadata(), ...found.owner };
  const last = links.at(-1);
  for (const link of links) yield { kind: 'kept-tree', path: link.folder };
  if (base === undefined) io.expect(found.files.bytes);
  yield folderEntry(folder, metadata);

  const copied = new CopiedFiles(streamBackup(found.tools, found.program, last?.toLsn));
  const cuts = new Cuts(found, base === undefined ? (options.since ?? options.previous) : undefined);
  const folders = new Set<string>();
  for await (const file of copied.files()) {
    for (const above of foldersOf(file.path).filter((path) => !folders.has(path))) {
      folders.add(above);
      yield folderEntry(`${folder}/${above}`, metadata);
    }
    const path = `${folder}/${file.path}`;
    yield { kind: 'file', path, metadata, content: file.content, cut: await cuts.of(file, path) };
  }
  const told = await copied.told(found, last);
  const facts: PhysicalFacts = {
    format: 1,
    kind: 'mysql',
    method: 'physical',
    type: options.type,
    ...(options.origin && { origin: options.origin }),
    product: 'mariadb',
    serverVersion: found.serverVersion,
    tools: { backup: found.program.said },
    ...(told.position && { position: told.position }),
    server: serverOf(found.files),
    pageBytes: found.files.pageBytes,
    chain: [...links, { folder, ...told.link }],
    definitions: told.definitions,
  };
  yield { kind: 'file', path: FACTS_PATH, metadata, content: [encodeFacts(facts)] };
}

/** The facts of the snapshot that this one builds upon; undefined: it holds everything. */
async function findBase(
  found: Survey,
  { type, since }: CaptureOptions,
  io: SourceIo,
): Promise<(PhysicalFacts & { readonly chain: readonly ChainLink[] }) | undefined> {
  if (type === 'full' || since === undefined) return undefined;
  const facts = await findPhysicalFacts(since);
  const last = facts?.chain.at(-1);
  const why =
    facts === undefined || last === undefined
      ? 'the last one holds no files of a server'
      : facts.chain.length >= LONGEST_CHAIN
        ? `the last one is put together of ${String(facts.chain.length)} copies`
        : whyEverything({ ...facts, last }, found);
  if (why === undefined) return facts;
  const message = `all files were copied, since ${why}`;
  io.report({ severity: 'note', code: 'copied-as-a-whole', prominent: true, message });
  return undefined;
}

/** How files are cut: what is made of pages into blocks of several of them. */
class Cuts {
  readonly #found: Survey;
  readonly #parents: ParentBlocks;

  constructor(found: Survey, before: ReadableSnapshot | undefined) {
    this.#found = found;
    this.#parents = new ParentBlocks(before, found.files.pageBytes);
  }

  async of({ path, size }: StreamFile, stored: string): Promise<Cut> {
    if (!PAGED.test(path)) return 'content';
    const { sizes, bytes, pageBytes } = this.#found.files;
    const kept = await this.#parents.blockOf(stored);
    const known = size ?? sizes.get(path.replace(/\.new$/, '.ibd')) ?? bytes;
    return { block: kept ?? chooseBlock(known, bytes, pageBytes) };
  }
}

/** The folders above a relative path, outermost first. */
function foldersOf(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

function folderEntry(path: string, metadata: Metadata): Entry {
  return { kind: 'directory', path, metadata: { ...metadata, mode: 0o700 } };
}
