import { z } from 'zod';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import { FACTS_PATH } from '../server/snapshot-facts.ts';
import type { CaptureOptions } from '../source.ts';

/** Where a snapshot has its RDB. */
export const FOLDER = '/rdb';
export const FILE = 'dump.rdb';

const factsSchema = z.object({
  format: z.literal(1),
  kind: z.literal('redis'),
  type: z.enum(['full', 'differential', 'incremental']),
  /** `Redis`, `Valkey`. */
  product: z.string(),
  serverVersion: z.string(),
  /** `master`, or `slave` of a replica, as the server names it. */
  role: z.string(),
  isClustered: z.boolean(),
  /** Whether the server keeps a log of changes, which it reads in place of an RDB. */
  appendOnly: z.boolean(),
  /** Of the stream of changes, and how far it had come. */
  replicationId: z.string(),
  offset: z.number(),
  rdbVersion: z.number(),
  /** Whether the RDB ends with a checksum, which was right. */
  checksum: z.boolean(),
  bytes: z.number(),
  /** Those that are not empty. */
  databases: z.array(z.object({ number: z.number(), keys: z.number() })),
  /** Whether these are the keys of the RDB: nobody wrote between it and the question. */
  keysExact: z.boolean(),
});

/** The immutable facts of a snapshot. Sizes in bytes. */
export type Facts = z.infer<typeof factsSchema> & Pick<CaptureOptions, 'origin'>;

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readFacts(snapshot: ReadableSnapshot): Promise<Facts> {
  const bytes = await snapshot.read(FACTS_PATH);
  try {
    return factsSchema.parse(JSON.parse(Buffer.from(bytes ?? []).toString('utf8')));
  } catch (error) {
    const message = `${FACTS_PATH} of snapshot ${snapshot.id} describes no Redis server that this version knows`;
    const hint = 'A newer Respaldo may have taken it; its file can be restored as a plain one: --raw.';
    throw new RespaldoError('repository-unsupported', message, { hint, cause: error });
  }
}
