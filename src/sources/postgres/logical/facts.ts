import { z } from 'zod';
import { origin } from '../../server/snapshot-facts.ts';

/** A right on something: `PUBLIC` is the grantee ''. */
const grant = z.object({ grantee: z.string(), privilege: z.string(), grantable: z.boolean() });

const relation = z.object({
  schema: z.string(),
  name: z.string(),
  /** Schema and name as SQL has them, quoted where they must be. */
  sql: z.string(),
  kind: z.enum(['table', 'partitioned-table', 'view', 'materialized-view', 'foreign-table', 'sequence']),
  owner: z.string(),
  /** As PostgreSQL writes them, sorted; null: the owner's alone. */
  grants: z.array(z.string()).nullable(),
  /** Of the table itself, on disk. */
  bytes: z.number(),
  /** The planner's; -1: never analyzed. */
  rowEstimate: z.number(),
  /** Rows in the dump, exactly. Absent where none are dumped. */
  rows: z.number().optional(),
  /** Where the rows are, in their order, below the database's folder; absent: in `data.sql`. */
  files: z.array(z.string()).optional(),
});

const database = z.object({
  name: z.string(),
  /** Of this database, in the snapshot: `/dump/<name>`. */
  folder: z.string(),
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  /** `c`: libc, `i`: ICU, `b`: built in. Absent before version 15. */
  localeProvider: z.string().nullable(),
  locale: z.string().nullable(),
  icuRules: z.string().nullable(),
  tablespace: z.string(),
  /** -1: none. */
  connectionLimit: z.number(),
  comment: z.string().nullable(),
  /** Whether everybody who may make databases may copy it. Absent in older snapshots. */
  template: z.boolean().exactOptional(),
  /** null: PostgreSQL's default ones. */
  grants: z.array(grant).nullable(),
  /** `name=value`, for everybody (role '') or one role. */
  settings: z.array(z.object({ role: z.string(), values: z.array(z.string()) })),
  /** On the server's disk. */
  bytes: z.number(),
  dumpBytes: z.number(),
  /** What the dump's files are cut into, on average. */
  cut: z.number(),
  extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  relations: z.array(relation),
  sequences: z.array(z.object({ name: z.string(), value: z.string(), called: z.boolean() })),
  /** How many there are of what has no entry of its own: functions, indexes, constraints, triggers … */
  counts: z.record(z.string(), z.number()),
  largeObjects: z.number(),
  /** Whom anything in it belongs to, or gives rights to, or is for. Absent in older snapshots. */
  roles: z.array(z.string()).exactOptional(),
});

export const logicalFacts = z.object({
  format: z.literal(1),
  kind: z.literal('postgres'),
  method: z.literal('logical'),
  type: z.enum(['full', 'differential', 'incremental']),
  origin: origin.exactOptional(),
  serverVersion: z.string(),
  /** 150008 for 15.8. */
  serverVersionNumber: z.number(),
  /** As it names itself: `pg_dump (PostgreSQL) 15.8`. */
  tool: z.string(),
  globals: z.object({ file: z.string(), passwords: z.boolean() }),
  databases: z.array(database),
});

/** The immutable facts of a logical snapshot. Sizes in bytes. */
export type LogicalFacts = z.infer<typeof logicalFacts>;
export type DatabaseFacts = z.infer<typeof database>;
export type RelationFacts = z.infer<typeof relation>;
