/** The binary log as portable files: one for each file of the server, or for a part of one. */
import { productName } from '../product.ts';
import type { Increments, PortableAbout, PortableFile, SourceIo } from '../../source.ts';
import type { MysqlAddress } from '../address.ts';
import { filesToRead } from './capture.ts';
import { downloadFiles } from './download.ts';
import { chainBroken, chainOf, factsOf } from './entries.ts';
import { FIRST, MAGIC } from './event.ts';
import type { BinlogFacts } from './facts.ts';
import { BinlogReader, type LogPosition, type PlacedEvent } from './reader.ts';
import { Memory } from './remembered.ts';
import { findStart } from './resume.ts';
import { partPath, Stretch } from './stretch.ts';
import { surveyLog, type LogSurvey } from './survey.ts';

const PIECE_BYTES = 256 * 1024;

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
  const start = await findStart(await memory?.read(), log);
  if (start.broken !== undefined) io.report(chainBroken(start.broken));
  const names = filesToRead(log, start).map(({ name }) => name);
  let before = start.before;
  let chain = chainOf(start);
  let isWhole = true;
  for (const file of names) {
    const at: LogPosition = { file, offset: file === start.at.file ? start.at.offset : FIRST };
    const stretch = new Stretch(at, before);
    let facts: BinlogFacts | undefined;
    let isSettled = false;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      yield* wholeLog(log, at, stretch);
      facts = await factsOf(stretch, chain, log, { type: 'incremental' });
    };
    yield {
      name: partPath(file, at.offset).slice('/binlogs/'.length),
      extension: 'binlog',
      content: content(),
      about: () => aboutOf(log, path, facts),
      settle: async () => {
        isSettled = true;
        if (isWhole && facts !== undefined) await memory?.write(facts);
      },
    };
    isWhole &&= isSettled;
    before = facts ?? before;
    chain = { id: chain.id };
  }
}

/** A log that can be read by itself: what begins in the middle of a file gets its format. */
async function* wholeLog(log: LogSurvey, at: LogPosition, stretch: Stretch): AsyncGenerator<Uint8Array> {
  const reader = new BinlogReader(at, log.tools.server, [at.file]);
  let pending: Uint8Array[] = [MAGIC];
  let bytes = 0;
  const take = ({ event, format }: PlacedEvent): void => {
    if (stretch.isEmpty && at.offset > FIRST) pending.push(format);
    pending.push(event.bytes);
    bytes += event.bytes.length;
  };
  for await (const piece of downloadFiles(log.tools, at, [at.file])) {
    for (const placed of reader.push(piece)) {
      take(placed);
      stretch.add(placed);
    }
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(pending);
    pending = [];
    bytes = 0;
  }
  reader.end();
  yield Buffer.concat(pending);
}

function aboutOf({ server, id }: LogSurvey, path: string, facts: BinlogFacts | undefined): PortableAbout {
  const reader = server.version.product === 'mariadb' ? 'mariadb-binlog' : 'mysqlbinlog';
  const client = server.version.product === 'mariadb' ? 'mariadb' : 'mysql';
  const position = ({ file, offset }: LogPosition): string => `${file}:${String(offset)}`;
  return {
    versions: { [productName(server.version.product)]: server.said },
    facts: {
      log: path,
      server: id,
      ...(facts && {
        chain: facts.chain.id,
        from: position(facts.from),
        to: position(facts.to),
        gtidsBefore: facts.gtids.before,
        gtidsAfter: facts.gtids.after,
        transactions: String(facts.transactions),
        ...(facts.firstTime !== undefined && { firstTime: facts.firstTime }),
        ...(facts.lastTime !== undefined && { lastTime: facts.lastTime }),
        ...(facts.chain.broken && { gapAfter: position(facts.chain.broken.after) }),
      }),
    },
    restoreCommand: `${reader} - | ${client} --binary-mode`,
  };
}
