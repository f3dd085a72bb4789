/** The binary log as portable files: one for each file of the server, or for a part of one. */
import { repeatable } from '../../../domain/repeatable.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { productName } from '../product.ts';
import type { Increments, PortableAbout, PortableFile, SourceIo } from '../../source.ts';
import type { MysqlAddress } from '../address.ts';
import { filesToRead } from './capture.ts';
import { startIn } from './continued.ts';
import { downloadFiles } from './download.ts';
import { chainBroken, chainOf, factsOf } from './entries.ts';
import { FIRST, MAGIC } from './event.ts';
import { readBinlogFacts, type BinlogFacts, type PartFacts } from './facts.ts';
import { BinlogReader, type LogPosition, type PlacedEvent } from './reader.ts';
import { Memory } from './remembered.ts';
import { findStart } from './resume.ts';
import { partPath, Stretch } from './stretch.ts';
import { surveyLog } from './survey.ts';
import { compare } from './walk.ts';

const PIECE_BYTES = 256 * 1024;

/** A file of the log, or a part of one, wherever it is read from. */
interface Part {
  readonly at: LogPosition;
  /** Its bytes, perhaps from somewhat before `at` on, and what reads them. */
  readonly open: () => { readonly reader: BinlogReader; readonly bytes: AsyncIterable<Uint8Array> };
}

/** What all files of one time have in common. */
interface Copying {
  /** What identifies the log. */
  readonly path: string;
  /** What is known of the place where the first one begins. */
  readonly before: Pick<BinlogFacts, 'gtids' | 'tail'> | undefined;
  readonly chain: BinlogFacts['chain'];
  factsOf(stretch: Stretch, chain: BinlogFacts['chain']): Promise<BinlogFacts> | BinlogFacts;
  /** The file, and all before it, are in all archives. */
  remember(facts: BinlogFacts): Promise<void> | undefined;
}

/**
 * Everything since the last time. What is remembered advances file by file, and only as far as every file is in all
 * archives: one that failed, and those behind it, come again.
 * @param path what identifies the log
 * @param increments absent: everything that the server has
 */
export async function* portableBinlogs(
  address: MysqlAddress,
  given: string | undefined,
  path: string,
  io: SourceIo,
  increments?: Increments,
): AsyncGenerator<PortableFile> {
  const memory = increments && new Memory(path, increments);
  const log = await surveyLog(address, given, io, true);
  const stored = await memory?.read();
  const start = await findStart(stored, log);
  if (start.broken !== undefined) io.report(chainBroken(start.broken));
  const snapshots = start.before && stored?.snapshots;
  const parts = filesToRead(log, start).map(({ name }): Part => {
    const at = { file: name, offset: name === start.at.file ? start.at.offset : FIRST };
    return {
      at,
      open: () => ({
        reader: new BinlogReader(at, log.tools.server, [name]),
        bytes: downloadFiles(log.tools, at, [name]),
      }),
    };
  });
  yield* copies(parts, {
    path,
    before: start.before,
    chain: chainOf(start),
    factsOf: (stretch, chain) => factsOf(stretch, chain, log, { type: 'incremental' }),
    remember: (facts) => memory?.write({ ...facts, ...(snapshots !== undefined && { snapshots }) }),
  });
}

/**
 * The same of a snapshot, from where the archives end.
 * @param increments absent: all of it
 */
export async function* portableBinlogsOf(
  snapshot: ReadableSnapshot,
  path: string,
  increments?: Increments,
): AsyncGenerator<PortableFile> {
  const facts = await readBinlogFacts(snapshot);
  const memory = increments && new Memory(path, increments);
  const stored = await memory?.read();
  const start = stored === undefined ? undefined : await startIn(facts, stored, snapshot);
  const at = start ?? facts.from;
  const chain = start === undefined || stored === undefined ? facts.chain : { id: stored.chain.id };
  const parts = facts.parts.filter(({ file, to }) => compare({ file, offset: to }, at) > 0);
  yield* copies(
    parts.map((part) => storedPart(part, at, facts, snapshot)),
    {
      path,
      before: start === undefined ? whatCameBefore(facts) : stored,
      chain,
      factsOf: (stretch, own) => ({ ...facts, ...stretch.facts(), chain: own }),
      remember: (own) =>
        memory?.write({ ...own, ...(own.chain.id !== facts.chain.id && { snapshots: facts.chain.id }) }),
    },
  );
}

function whatCameBefore({ from: { file, offset }, gtids: { before: after } }: BinlogFacts): Copying['before'] {
  return { gtids: { before: '', after }, tail: { file, from: offset, to: offset, sha256: '', closed: false } };
}

function storedPart(part: PartFacts, start: LogPosition, facts: BinlogFacts, snapshot: ReadableSnapshot): Part {
  const { file, from, path } = part;
  const format = from === 0 ? undefined : Buffer.from(facts.formatEvent ?? '', 'base64');
  return {
    at: { file, offset: file === start.file ? Math.max(start.offset, from, FIRST) : Math.max(from, FIRST) },
    open: () => ({
      reader: new BinlogReader({ file, offset: Math.max(from, FIRST) }, 'the stored log', [file], format),
      bytes: snapshot.stream(path),
    }),
  };
}

async function* copies(parts: readonly Part[], copying: Copying): AsyncGenerator<PortableFile> {
  let { before, chain } = copying;
  let isWhole = true;
  for (const part of parts) {
    const { file, offset } = part.at;
    const own = { before, chain };
    let facts: BinlogFacts | undefined;
    let isSettled = false;
    yield {
      name: partPath(file, offset).slice('/binlogs/'.length),
      extension: 'binlog',
      content: repeatable(async function* () {
        const stretch = new Stretch(part.at, own.before);
        yield* wholeLog(part, stretch);
        facts = await copying.factsOf(stretch, own.chain);
      }),
      about: () => aboutOf(copying.path, facts),
      settle: async () => {
        isSettled = true;
        if (isWhole && facts !== undefined) await copying.remember(facts);
      },
    };
    isWhole &&= isSettled;
    before = facts ?? before;
    chain = { id: chain.id };
  }
}

/** A log that can be read by itself: what begins in the middle of a file gets its format. */
async function* wholeLog({ at, open }: Part, stretch: Stretch): AsyncGenerator<Uint8Array> {
  const { reader, bytes } = open();
  let pending: Uint8Array[] = [MAGIC];
  let pendingBytes = 0;
  const take = (placed: PlacedEvent): void => {
    const { event, format, from } = placed;
    if (from < at.offset) return;
    if (stretch.isEmpty && at.offset > FIRST) pending.push(format);
    pending.push(event.bytes);
    pendingBytes += event.bytes.length;
    stretch.add(placed);
  };
  for await (const piece of bytes) {
    for (const placed of reader.push(piece)) take(placed);
    if (pendingBytes < PIECE_BYTES) continue;
    yield Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
  }
  reader.end();
  yield Buffer.concat(pending);
}

function aboutOf(path: string, facts: BinlogFacts | undefined): PortableAbout {
  const product = facts?.product ?? 'mysql';
  const [reader, client] = product === 'mariadb' ? ['mariadb-binlog', 'mariadb'] : ['mysqlbinlog', 'mysql'];
  const position = ({ file, offset }: LogPosition): string => `${file}:${String(offset)}`;
  return {
    versions: facts === undefined ? {} : { [productName(product)]: facts.serverVersion },
    facts: {
      log: path,
      ...(facts && {
        server: facts.server,
        chain: facts.chain.id,
        from: position(facts.from),
        to: position(facts.to),
        gtidsBefore: facts.gtids.before,
        gtidsAfter: facts.gtids.after,
        transactions: String(facts.transactions),
        seenAt: facts.seenAt,
        ...(facts.parts.at(-1)?.closed === true && { closed: 'true' }),
        ...(facts.firstTime !== undefined && { firstTime: facts.firstTime }),
        ...(facts.lastTime !== undefined && { lastTime: facts.lastTime }),
        ...(facts.chain.broken && { gapAfter: position(facts.chain.broken.after) }),
      }),
    },
    restoreCommand: `${reader} - | ${client} --binary-mode`,
  };
}
