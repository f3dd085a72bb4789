/** What a snapshot tells of itself, in a file of its own. */
import { z } from 'zod';
import type { ContainerImage } from '../../domain/container-image.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';

/** Where a snapshot tells what it is. */
export const FACTS_PATH = '/respaldo.json';

/** How the snapshot came about, for people; nothing is decided by it. Absent in older snapshots. */
export const origin = z.object({
  /** Why it has its type. */
  reason: z.string(),
  hostname: z.string(),
  plan: z.string().exactOptional(),
  name: z.string().exactOptional(),
  program: z.string().exactOptional(),
  image: z
    .object({ name: z.string(), id: z.string().exactOptional(), digest: z.string().exactOptional() })
    .exactOptional(),
});

const ofAnyKind = z.object({ origin: origin.exactOptional() });

/** Of the container that the server ran in when its snapshot was taken, if that was in one and is told. */
export async function recordedImage(snapshot: ReadableSnapshot): Promise<ContainerImage | undefined> {
  return (await findDumpFacts(snapshot, ofAnyKind))?.origin?.image;
}

export function encodeFacts(facts: object): Buffer {
  return Buffer.from(`${JSON.stringify(facts, undefined, 2)}\n`);
}

/**
 * @param product `MySQL`.
 * @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it.
 */
export async function readDumpFacts<Facts>(
  snapshot: ReadableSnapshot,
  schema: z.ZodType<Facts>,
  product: string,
): Promise<Facts> {
  const found = await findDumpFacts(snapshot, schema);
  if (found !== undefined) return found;
  throw new RespaldoError(
    'repository-unsupported',
    `${FACTS_PATH} of snapshot ${snapshot.id} does not describe a dump of ${product} that this version knows`,
    { hint: 'A newer Respaldo may have taken it; its files can be restored as plain files: --target <folder>.' },
  );
}

/** Undefined: the snapshot is something else. */
export async function findDumpFacts<Facts>(
  snapshot: ReadableSnapshot,
  schema: z.ZodType<Facts>,
): Promise<Facts | undefined> {
  const bytes = await snapshot.read(FACTS_PATH);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
