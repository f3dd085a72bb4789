/** What is kept of the copy that the next one in archives may build upon. */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { errnoOf } from '../../../errors.ts';
import { beginIncrement, type Increment } from '../../increments.ts';
import type { Increments } from '../../source.ts';
import type { Base } from './base.ts';

/** Nothing is ever left out. */
const ALL = { exclude: [], oneFileSystem: false, excludeCaches: false };

const base = z.object({
  serverVersion: z.string(),
  server: z.object({ hostname: z.string(), dataDirectory: z.string(), startedAt: z.number() }),
  pageBytes: z.number(),
  last: z.object({ toLsn: z.string(), lastLsn: z.string() }),
});

/** A copy that is going to be made. */
export interface NextCopy {
  /** Absent where nothing is kept of copies. */
  readonly increment?: Increment;
  /** Absent: it holds everything. */
  readonly base?: Base;
  readonly reason?: string;
}

/**
 * The next copy, upon the one before where nothing speaks against it.
 * @param path what identifies the source
 * @param increments absent: it holds everything, and none builds upon it
 * @param whyEverything as a clause for people
 */
export async function beginCopy(
  path: string,
  increments: Increments | undefined,
  whyEverything: (before: Base) => string | undefined,
): Promise<NextCopy> {
  if (increments === undefined) return {};
  const increment = await beginIncrement(path, ALL, increments);
  if (increment.chain.level === 0) return { increment, reason: increment.reason };
  const before = await recall(increment.state);
  const why = before === undefined ? 'nobody knows what the last one holds' : whyEverything(before);
  if (before !== undefined && why === undefined) return { increment, base: before, reason: increment.reason };
  await increment.discard();
  return { increment: await beginIncrement(path, ALL, { ...increments, wanted: 'full' }), reason: why ?? '' };
}

/** The copy is in all archives, as what: the next one may build upon it. */
export async function keepCopy(
  increment: Increment,
  { serverVersion, server, pageBytes, last: { toLsn, lastLsn } }: Base,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  const known: Base = { serverVersion, server, pageBytes, last: { toLsn, lastLsn } };
  await writeFile(increment.state, JSON.stringify(known), { mode: 0o600 });
  await increment.keep(keys);
}

/** Undefined: it is not there, or cannot be understood. */
async function recall(file: string): Promise<Base | undefined> {
  try {
    return base.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
