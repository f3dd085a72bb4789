/** What was measured, as it is kept in bench/results/. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const sampleSchema = z.object({
  /** Seconds. */
  wall: z.number(),
  /** Seconds, in user mode and in the system. */
  cpu: z.number(),
  /** Bytes of the largest resident set. */
  memory: z.number(),
  /** Bytes of the repository afterwards, where the work writes one. */
  stored: z.number().exactOptional(),
});

const toolNames = z.enum(['respaldo', 'restic', 'borg']);
const samplesSchema = z.partialRecord(toolNames, z.array(sampleSchema).readonly());

const rowSchema = z.object({
  /** When it was measured: RFC 3339. */
  measured: z.iso.datetime(),
  machine: z.string(),
  versions: z.partialRecord(toolNames, z.string()),
  samples: samplesSchema,
  medians: z.partialRecord(toolNames, sampleSchema),
  /** Of the medians; restic's time by ours, ours by restic's for the others. */
  ratios: z.object({
    wall: z.number().exactOptional(),
    cpu: z.number().exactOptional(),
    memory: z.number().exactOptional(),
    stored: z.number().exactOptional(),
  }),
  /** Bytes of memory that a blob of the repository costs. */
  indexBytes: z.partialRecord(toolNames, z.number()).exactOptional(),
});

const resultsSchema = z.object({ scale: z.number(), rows: z.record(z.string(), rowSchema) });

export type StoredSample = z.infer<typeof sampleSchema>;
export type RowResult = z.infer<typeof rowSchema>;
export type Results = z.infer<typeof resultsSchema>;

/** The raw figures of a row. */
export interface RowSamples {
  readonly samples: z.infer<typeof samplesSchema>;
  readonly baseline?: z.infer<typeof samplesSchema>;
}

/** Results of each scale have a file of their own: they cannot be compared. */
function resultsPath(folder: string, scale: number): string {
  return join(folder, `scale-${scale}.json`);
}

/** What was measured at this scale before; nothing if there is none. */
export function readResults(folder: string, scale: number): Results {
  let text: string;
  try {
    text = readFileSync(resultsPath(folder, scale), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { scale, rows: {} };
    throw error;
  }
  return resultsSchema.parse(JSON.parse(text));
}

/** Adds rows to the file, in place of what was measured of them before. */
export function writeResults(folder: string, { scale, rows }: Results): void {
  const all = { scale, rows: { ...readResults(folder, scale).rows, ...rows } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(resultsPath(folder, scale), `${JSON.stringify(all, undefined, 2)}\n`);
}
