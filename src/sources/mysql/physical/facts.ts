import { z } from 'zod';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';
import { FACTS_PATH, findDumpFacts, origin } from '../../server/snapshot-facts.ts';
import type { ServerFiles } from './server-files.ts';

/** A place in InnoDB's redo log. It may have more digits than a number can hold. */
const lsn = z.string().regex(/^\d{1,20}$/);

const link = z.object({
  /** In the snapshot: `/data` of the copy that holds everything, `/increments/<n>` of those after it. */
  folder: z.string(),
  /** It holds the pages that were changed since here; 0: all. */
  fromLsn: lsn,
  /** From here on the next one has to hold what is changed. */
  toLsn: lsn,
  /** The redo log in it reaches to here. */
  lastLsn: lsn,
  /** Of its files. */
  bytes: z.number(),
});

const physicalFacts = z.object({
  format: z.literal(1),
  kind: z.literal('mysql'),
  method: z.literal('physical'),
  type: z.enum(['full', 'differential', 'incremental']),
  origin: origin.exactOptional(),
  product: z.literal('mariadb'),
  /** As the server says it: `10.11.6-MariaDB-log`. */
  serverVersion: z.string(),
  /** As the program names itself. */
  tools: z.object({ backup: z.string() }),
  /** In the server's binary log, that the files belong to; absent where it has none. */
  position: z
    .object({ file: z.string().exactOptional(), offset: z.number().exactOptional(), gtid: z.string().exactOptional() })
    .exactOptional(),
  /** Of the server: what tells whether the next copy can build upon this one. */
  server: z.object({ hostname: z.string(), dataDirectory: z.string(), startedAt: z.number() }),
  pageBytes: z.number(),
  /** In the order in which they are put together; all of them are in this snapshot. */
  chain: z.array(link).min(1),
  /** Definitions of tables, sequences and views. */
  definitions: z.number(),
});

/** The immutable facts of a snapshot of a server's files. Sizes in bytes. */
export type PhysicalFacts = z.infer<typeof physicalFacts>;
export type ChainLink = z.infer<typeof link>;

/** What of a server tells whether it is still the same one. */
export function serverOf({ hostname, dataDirectory, startedAt }: ServerFiles): PhysicalFacts['server'] {
  return { hostname, dataDirectory, startedAt };
}

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readPhysicalFacts(snapshot: ReadableSnapshot): Promise<PhysicalFacts> {
  const found = await findPhysicalFacts(snapshot);
  if (found !== undefined) return found;
  throw new RespaldoError(
    'repository-unsupported',
    `${FACTS_PATH} of snapshot ${snapshot.id} does not describe files of a MariaDB server that this version knows`,
    { hint: 'A newer Respaldo may have taken it; its files can be restored as plain files.' },
  );
}

/** Undefined: the snapshot is something else. */
export function findPhysicalFacts(snapshot: ReadableSnapshot): Promise<PhysicalFacts | undefined> {
  return findDumpFacts(snapshot, physicalFacts);
}
