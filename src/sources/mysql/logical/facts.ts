import { z } from 'zod';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';

/** Where a snapshot tells what it is. */
export const FACTS_PATH = '/respaldo.json';

const origin = z.object({
  reason: z.string(),
  hostname: z.string(),
  plan: z.string().exactOptional(),
  name: z.string().exactOptional(),
  program: z.string().exactOptional(),
});

const program = z.object({ name: z.string(), definer: z.string() });

const table = z.object({
  name: z.string(),
  kind: z.enum(['table', 'sequence']),
  engine: z.string(),
  /** The server's guess. */
  rowEstimate: z.number(),
  /** Of rows and indexes, on the server. */
  bytes: z.number(),
  /** Rows in the dump, exactly. */
  rows: z.number(),
  /** Whether the dump has one state of it, whoever wrote to it. */
  consistent: z.boolean(),
  /** Below the database's folder. */
  file: z.string(),
});

const database = z.object({
  name: z.string(),
  /** Of this database, in the snapshot: `/dump/<name>`. */
  folder: z.string(),
  charset: z.string(),
  collation: z.string(),
  /** Of tables and indexes on the server, about. */
  bytes: z.number(),
  dumpBytes: z.number(),
  /** What the dump's files are cut into, on average. */
  cut: z.number(),
  tables: z.array(table),
  views: z.array(program.extend({ valid: z.boolean() })),
  routines: z.array(program.extend({ kind: z.enum(['function', 'procedure', 'package']) })),
  triggers: z.array(program.extend({ table: z.string() })),
  events: z.array(program),
  /** That its columns use. */
  collations: z.array(z.string()),
  /** Columns take numbers from sequences that they name with their database. */
  namesItself: z.boolean(),
  /** Files below its folder, in the order in which they are restored. */
  files: z.array(z.string()),
});

const logicalFacts = z.object({
  format: z.literal(1),
  kind: z.literal('mysql'),
  method: z.literal('logical'),
  type: z.enum(['full', 'differential', 'incremental']),
  origin: origin.exactOptional(),
  product: z.enum(['mariadb', 'mysql']),
  /** As the server says it: `10.11.6-MariaDB-log`. */
  serverVersion: z.string(),
  /** As the programs name themselves. */
  tools: z.object({ client: z.string(), dump: z.string() }),
  /** In the server's binary log, that the rows of all databases belong to; absent where it has none, or nobody may know. */
  position: z
    .object({ file: z.string().exactOptional(), offset: z.number().exactOptional(), gtid: z.string().exactOptional() })
    .exactOptional(),
  /** Accounts and grants; absent where they could not be read. */
  accounts: z.object({ file: z.string(), names: z.array(z.string()) }).exactOptional(),
  databases: z.array(database),
});

/** The immutable facts of a logical snapshot. Sizes in bytes. */
export type LogicalFacts = z.infer<typeof logicalFacts>;
export type DatabaseFacts = z.infer<typeof database>;

export function encodeFacts(value: LogicalFacts): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts> {
  const found = await findFacts(snapshot);
  if (found !== undefined) return found;
  throw new RespaldoError(
    'repository-unsupported',
    `${FACTS_PATH} of snapshot ${snapshot.id} does not describe a dump of MySQL that this version knows`,
    { hint: 'A newer Respaldo may have taken it; its files can be restored as plain files: --target <folder>.' },
  );
}

/** Undefined: the snapshot is something else. */
export async function findFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts | undefined> {
  const bytes = await snapshot.read(FACTS_PATH);
  if (bytes === undefined) return undefined;
  try {
    return logicalFacts.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
