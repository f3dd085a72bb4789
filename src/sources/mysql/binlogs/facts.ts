import { z } from 'zod';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';
import { FACTS_PATH, findDumpFacts, origin } from '../../server/snapshot-facts.ts';

const position = z.object({ file: z.string(), offset: z.number() });

/** A file of the log, or a part of one: its bytes as the server has them. */
const part = z.object({
  /** As the server calls it. */
  file: z.string(),
  /** Of its first byte in that file: 0 where the file begins. */
  from: z.number(),
  /** Behind its last byte. */
  to: z.number(),
  /** In the snapshot. */
  path: z.string(),
  /** Where the server skipped some bytes (encrypted logs), fewer than from `from` to `to`. */
  bytes: z.number(),
  /** The server goes on in another file. */
  closed: z.boolean(),
  transactions: z.number(),
  /** Of its events, ISO 8601; absent: it has none. */
  firstTime: z.string().exactOptional(),
  lastTime: z.string().exactOptional(),
});

export const binlogFacts = z.object({
  format: z.literal(1),
  kind: z.literal('mysql'),
  method: z.literal('binlogs'),
  type: z.enum(['full', 'differential', 'incremental']),
  origin: origin.exactOptional(),
  product: z.enum(['mariadb', 'mysql']),
  serverVersion: z.string(),
  tools: z.object({ client: z.string(), binlog: z.string() }),
  /** By what the server can be told from others: its UUID, or its number where it has none. */
  server: z.string(),
  /** Stretches of the same chain follow one another without a gap. */
  chain: z.object({
    id: z.string(),
    /** Of the first stretch: it holds all that the server had then. */
    begins: z.literal(true).exactOptional(),
    /** Of the first stretch of a chain: why it could not go on with the one before. */
    broken: z.object({ reason: z.string(), after: position }).exactOptional(),
  }),
  /** Everything between the two is here. */
  from: position,
  to: position,
  /** Of the server, when it was seen that there was nothing more: ISO 8601. */
  seenAt: z.string(),
  firstTime: z.string().exactOptional(),
  lastTime: z.string().exactOptional(),
  transactions: z.number(),
  /** All transactions of the server up to `from`, and up to `to`. */
  gtids: z.object({ before: z.string(), after: z.string() }),
  /** The last event: the next stretch begins where it is still the same. */
  tail: z.object({
    file: z.string(),
    from: z.number(),
    to: z.number(),
    sha256: z.string(),
    /** With it the server has closed the file. */
    closed: z.boolean(),
  }),
  /** Base64: the event by which the first part's file tells its format, where that part is not its beginning. */
  formatEvent: z.string().exactOptional(),
  parts: z.array(part),
});

/** The immutable facts of a stretch of a server's binary log. */
export type BinlogFacts = z.infer<typeof binlogFacts>;
export type PartFacts = z.infer<typeof part>;

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readBinlogFacts(snapshot: ReadableSnapshot): Promise<BinlogFacts> {
  const found = await findBinlogFacts(snapshot);
  if (found !== undefined) return found;
  throw new RespaldoError(
    'repository-unsupported',
    `${FACTS_PATH} of snapshot ${snapshot.id} does not describe a stretch of a binary log that this version knows`,
    { hint: 'A newer Respaldo may have taken it; its files can be restored as plain files.' },
  );
}

/** Undefined: the snapshot is something else. */
export function findBinlogFacts(snapshot: ReadableSnapshot): Promise<BinlogFacts | undefined> {
  return findDumpFacts(snapshot, binlogFacts);
}

/** @throws RespaldoError `usage` for a stretch of a log, where something is wanted that stands for itself */
export async function refuseStretch(snapshot: ReadableSnapshot): Promise<void> {
  if ((await findBinlogFacts(snapshot)) === undefined) return;
  throw new RespaldoError(
    'usage',
    `snapshot ${snapshot.id.slice(0, 8)} is a stretch of a binary log: it leads on from a base, and is none`,
    { hint: 'Name the base, a dump or the files of the server, and how far to go on from it: --until latest' },
  );
}
