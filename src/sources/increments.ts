/** What is remembered of what was copied to archives, so that the next copy holds only what has changed. */
import { createHash, randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Chain, ChainSubject } from '../domain/increment.ts';
import { CHAIN_GONE, nextLevel } from '../domain/increment.ts';
import { errnoOf, RespaldoError } from '../errors.ts';
import type { Increments } from './source.ts';

/** A copy that is going to be made. */
export interface Increment {
  readonly chain: { readonly id: string; readonly level: number; readonly parent?: string };
  readonly reason: string;
  /**
   * The file in which it is kept what was seen: that of the parent, to be brought up to date; there is none yet where
   * the copy holds everything.
   */
  readonly state: string;
  /** To be called when the copy is where it should be, as what: the next one builds upon it. */
  keep(keys: Readonly<Record<string, string>>): Promise<void>;
  /** Lets go of the file, whether or not it was kept. */
  discard(): Promise<void>;
}

const schema = z.object({
  format: z.literal(1),
  id: z.string(),
  of: z.object({ path: z.string(), selection: z.unknown(), archives: z.array(z.string()) }),
  links: z
    .array(
      z.object({ run: z.string(), time: z.iso.datetime(), state: z.uuid(), keys: z.record(z.string(), z.string()) }),
    )
    .min(1),
});
type Kept = z.infer<typeof schema>;

/**
 * Begins the next copy. What is kept of the last one stays as it is until the new one is: it is copied, and the copy is
 * changed.
 * @param path what identifies it
 * @throws RespaldoError `target-refused` where it cannot be written
 */
export async function beginIncrement(
  path: string,
  selection: ChainSubject['selection'],
  { folder, plan, run, time, archives, wanted, isThere }: Increments,
): Promise<Increment> {
  const place = join(
    folder,
    createHash('sha256')
      .update(JSON.stringify([plan, path]))
      .digest('hex')
      .slice(0, 32),
  );
  try {
    await mkdir(place, { recursive: true, mode: 0o700 });
    const kept = await readKept(place);
    const subject: ChainSubject = { path, selection, archives: archives.toSorted() };
    const decided = nextLevel(kept && toChain(kept), subject, wanted, time);
    const next = (await areThere(kept?.links.slice(0, decided.base.length) ?? [], isThere))
      ? decided
      : { level: 0, base: [], reason: CHAIN_GONE };
    const base = kept?.links.slice(0, next.base.length) ?? [];
    const parent = base.at(-1);
    const [id, state] = [parent === undefined || kept === undefined ? randomUUID() : kept.id, randomUUID()];
    const file = join(place, `${state}.state`);
    if (parent !== undefined) await copyFile(join(place, `${parent.state}.state`), file);
    const link = { run, time: time.toISOString(), state };
    let isKept = false;
    return {
      chain: { id, level: next.level, ...(parent && { parent: parent.run }) },
      reason: next.reason,
      state: file,
      keep: async (keys) => {
        await sync(file);
        const links = [...base, { ...link, keys: { ...keys } }];
        await writeKept(place, { format: 1, id, of: { ...subject, archives: [...subject.archives] }, links });
        isKept = true;
        await removeAll(place, kept?.links.filter(({ state: old }) => !links.some((one) => one.state === old)) ?? []);
      },
      discard: async () => {
        if (!isKept) await removeAll(place, [link]);
      },
    };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new RespaldoError(
      'target-refused',
      `cannot keep what the next copy of ${path} builds upon: ${error instanceof Error ? error.message : ''}`,
      { hint: `Check ${place}. It may be removed: then the next copy holds everything.`, cause: error },
    );
  }
}

function toChain({ id, of, links }: Kept): Chain {
  return { id, of: { ...of, selection: of.selection as ChainSubject['selection'] }, links };
}

/** Somebody may have removed files by hand: what built upon those could never be restored. */
async function areThere(links: Kept['links'], isThere: Increments['isThere']): Promise<boolean> {
  for (const { keys } of links) if (!(await isThere(keys))) return false;
  return true;
}

/** Undefined where nothing is kept, or nothing that can be used: then a new chain begins. */
async function readKept(place: string): Promise<Kept | undefined> {
  try {
    const kept = schema.parse(JSON.parse(await readFile(join(place, 'chain.json'), 'utf8')));
    const there = await readdir(place);
    return kept.links.every(({ state }) => there.includes(`${state}.state`)) ? kept : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** All at once: whoever is killed in between leaves the old one. */
async function writeKept(place: string, kept: Kept): Promise<void> {
  const temporary = join(place, `chain-${randomUUID()}.tmp`);
  await using file = await open(temporary, 'wx', 0o600);
  await file.writeFile(JSON.stringify(kept));
  await file.sync();
  await rename(temporary, join(place, 'chain.json'));
  await sync(place);
}

async function removeAll(place: string, links: readonly { readonly state: string }[]): Promise<void> {
  for (const { state } of links) await rm(join(place, `${state}.state`), { force: true });
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}
