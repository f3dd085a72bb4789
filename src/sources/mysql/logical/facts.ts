import { z } from 'zod';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { findDumpFacts, origin, readDumpFacts } from '../../server/snapshot-facts.ts';

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
  /** Which databases were meant; absent in older snapshots. */
  meant: z
    .object({
      /** All but the server's own, and those below. */
      all: z.boolean(),
      /** Shell patterns. */
      exclude: z.array(z.string()),
    })
    .exactOptional(),
  databases: z.array(database),
});

/** The immutable facts of a logical snapshot. Sizes in bytes. */
export type LogicalFacts = z.infer<typeof logicalFacts>;
export type DatabaseFacts = z.infer<typeof database>;

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export function readFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts> {
  return readDumpFacts(snapshot, logicalFacts, 'MySQL');
}

/** Undefined: the snapshot is something else. */
export function findFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts | undefined> {
  return findDumpFacts(snapshot, logicalFacts);
}
