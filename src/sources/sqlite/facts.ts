import { z } from 'zod';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { CaptureOptions } from '../source.ts';

/** Where a snapshot tells what it is, and where its database lies. */
export const FACTS_PATH = '/respaldo.json';
export const FOLDER = '/database';

const factsSchema = z.object({
  format: z.literal(1),
  kind: z.literal('sqlite'),
  type: z.enum(['full', 'differential', 'incremental']),
  /** The file's name in `/database`, and where it lay. */
  file: z.string().regex(/^[^/\0]+$/),
  original: z.string(),
  journalMode: z.string(),
  /** Of what made the copy: a file does not tell who wrote it. */
  sqliteVersion: z.string(),
  encoding: z.string(),
  pageBytes: z.number(),
  bytes: z.number(),
  userVersion: z.number(),
  applicationId: z.number(),
  /** Those whose rows are in the file itself. */
  tables: z.array(z.object({ name: z.string(), rows: z.number() })),
});

/** The immutable facts of a snapshot. Sizes in bytes. */
export type Facts = z.infer<typeof factsSchema> & Pick<CaptureOptions, 'origin'>;

export function encodeFacts(facts: Facts): Buffer {
  return Buffer.from(`${JSON.stringify(facts, undefined, 2)}\n`);
}

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readFacts(snapshot: ReadableSnapshot): Promise<Facts> {
  const bytes = await snapshot.read(FACTS_PATH);
  try {
    return factsSchema.parse(JSON.parse(Buffer.from(bytes ?? []).toString('utf8')));
  } catch (error) {
    const message = `${FACTS_PATH} of snapshot ${snapshot.id} describes no SQLite database that this version knows`;
    const hint = 'A newer Respaldo may have taken it; its file can be restored as a plain one: --raw.';
    throw new RespaldoError('repository-unsupported', message, { hint, cause: error });
  }
}
