import { z } from 'zod';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import { FACTS_PATH, origin } from '../server/snapshot-facts.ts';

const facts = z.object({
  format: z.literal(1),
  kind: z.literal('postgres'),
  method: z.literal('physical'),
  type: z.enum(['full', 'differential', 'incremental']),
  origin: origin.exactOptional(),
  /** Identifies the cluster for its whole life, across copies and standbys. */
  systemIdentifier: z.string(),
  serverVersion: z.string(),
  timeline: z.number(),
  startLsn: z.string(),
  /** WAL up to here is in the snapshot: recovery reaches consistency here. */
  endLsn: z.string(),
  pageBytes: z.number(),
  walSegmentBytes: z.number(),
  /** Whether pages carry checksums, which the server then verified. */
  dataChecksums: z.boolean(),
  /** Files that hold damaged pages, as the server named them; empty for a sound snapshot. */
  damagedFiles: z.array(z.string()),
  files: z.number(),
  bytes: z.number(),
  /** Tablespaces outside the data directory, with their place on the server. */
  tablespaces: z.array(z.object({ oid: z.string().regex(/^\d+$/), location: z.string() })),
  /** Configuration outside the data directory: where it lay, and where it is in the snapshot. */
  configuration: z.array(
    z.object({ role: z.enum(['config', 'hba', 'ident', 'included']), original: z.string(), path: z.string() }),
  ),
});

/** The immutable facts of a physical snapshot. Sizes in bytes, LSNs as PostgreSQL writes them. */
export type Facts = z.infer<typeof facts>;

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readFacts(snapshot: ReadableSnapshot): Promise<Facts> {
  const bytes = await snapshot.read(FACTS_PATH);
  try {
    return facts.parse(JSON.parse(Buffer.from(bytes ?? []).toString('utf8')));
  } catch (error) {
    throw new RespaldoError(
      'repository-unsupported',
      `${FACTS_PATH} of snapshot ${snapshot.id} does not describe a physical PostgreSQL backup that this version knows`,
      { hint: 'A newer Respaldo may have taken it; its files can be restored as plain files.', cause: error },
    );
  }
}
