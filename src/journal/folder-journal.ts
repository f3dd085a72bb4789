import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

import type { Clock } from '../clock.ts';
import type { StoppedContainer } from '../domain/stopped.ts';
import { errnoOf, RespaldoError } from '../errors.ts';
import type { StoppedJournal, StoppedRecord } from './journal.ts';
import { bootId, ourselves, ownerSchema, standingOf } from './owner.ts';

const container = z.strictObject({
  id: z.string(),
  name: z.string(),
  startedAt: z.string(),
  askedAt: z.string(),
  stopSeconds: z.number(),
  finishedAt: z.string().exactOptional(),
});
const content = z.strictObject({
  format: z.literal(1),
  owner: ownerSchema,
  reach: z.record(z.string(), z.string()),
  ids: z.array(z.string()),
  containers: z.array(container),
});
type Content = Omit<z.infer<typeof content>, 'containers'> & { readonly containers: readonly StoppedContainer[] };

/** How often an owner shows that it lives, to those who cannot see its process, and when they give it up. Milliseconds. */
const PULSE = 10_000;
const GIVEN_UP = 90_000;

/** A file for each record, in a folder of their own. */
export class FolderJournal implements StoppedJournal {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async begin(reach: Readonly<Record<string, string>>, ids: readonly string[]): Promise<StoppedRecord> {
    const record = await this.#own({
      format: 1,
      owner: await ourselves(),
      reach: { ...reach },
      ids: [...ids],
      containers: [],
    });
    try {
      // Ours is there first: of two that begin at once at least one sees the other.
      await this.#requireNobodyElse(record.path, ids);
    } catch (error) {
      await record.close();
      throw error;
    }
    return record;
  }

  async adopt(warn: (message: string) => void): Promise<readonly StoppedRecord[]> {
    const adopted: StoppedRecord[] = [];
    for (const path of await this.#files()) {
      const found = await readRecord(path, warn);
      if (found === undefined || (await this.#lives(found, path))) continue;
      const rebooted = found.owner.boot !== (await bootId());
      const record = await this.#own({ ...found, owner: await ourselves() }, rebooted);
      // Who removes the old one has it; another one that began at the same time has lost.
      if (await removed(path)) adopted.push(record);
      else await record.close();
    }
    return adopted;
  }

  async #own(first: Content, rebooted = false): Promise<FileRecord> {
    try {
      await ensureFolder(this.#folder);
      const record = new FileRecord(join(this.#folder, `${randomUUID()}.json`), first, rebooted, this.#clock);
      await record.update(first.containers);
      return record;
    } catch (error) {
      throw unwritable(this.#folder, error);
    }
  }

  async #requireNobodyElse(own: string, ids: readonly string[]): Promise<void> {
    for (const path of await this.#files()) {
      const other = path === own ? undefined : await readRecord(path, () => undefined);
      if (other === undefined || !other.ids.some((id) => ids.includes(id))) continue;
      const name = other.containers.find(({ id }) => ids.includes(id))?.name;
      throw new RespaldoError(
        'source-refused',
        `another backup (process ${other.owner.pid}) has stopped the container ${name ?? 'that this one would stop'}`,
        {
          hint: 'Run this one when that one has ended. If it was killed, any command of Respaldo starts its containers.',
        },
      );
    }
  }

  async #lives({ owner }: Content, path: string): Promise<boolean> {
    const standing = await standingOf(owner);
    if (standing !== 'unknown') return standing === 'alive';
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    return this.#clock.now().getTime() - mtimeMs < GIVEN_UP;
  }

  async #files(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#folder);
      return names.filter((name) => name.endsWith('.json')).map((name) => join(this.#folder, name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw unwritable(this.#folder, error);
    }
  }
}

class FileRecord implements StoppedRecord {
  readonly path: string;
  readonly rebooted: boolean;
  #content: Content;
  readonly #pulse: NodeJS.Timeout;

  constructor(path: string, first: Content, rebooted: boolean, clock: Clock) {
    this.path = path;
    this.rebooted = rebooted;
    this.#content = first;
    const beat = (): void => {
      const now = clock.now();
      void utimes(path, now, now).catch(() => undefined);
    };
    this.#pulse = setInterval(beat, PULSE).unref();
  }

  get reach(): Readonly<Record<string, string>> {
    return this.#content.reach;
  }

  get containers(): readonly StoppedContainer[] {
    return this.#content.containers;
  }

  async update(containers: readonly StoppedContainer[]): Promise<void> {
    this.#content = { ...this.#content, containers };
    try {
      await replaceDurably(this.path, `${JSON.stringify(this.#content, null, 2)}\n`);
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#pulse);
    await removed(this.path);
  }
}

/** Undefined: it is gone, or cannot be read, which is told. */
async function readRecord(path: string, warn: (message: string) => void): Promise<Content | undefined> {
  try {
    return content.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT')
      warn(`${path} cannot be read: if a backup was killed, look whether its containers run, and remove that file`);
    return undefined;
  }
}

/** Whole or not at all, also when the machine loses its power. */
async function replaceDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(dirname(path));
}

/** @returns whether it was there. */
async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw unwritable(path, error);
  }
  await syncFolder(dirname(path));
  return true;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** With those above it, for its owner alone, and durable. */
async function ensureFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (errnoOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    await ensureFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 });
  }
  await syncFolder(dirname(folder));
}

function unwritable(path: string, error: unknown): RespaldoError {
  if (error instanceof RespaldoError) return error;
  const reason = errnoOf(error) ?? String(error);
  return new RespaldoError(
    'source-refused',
    `the journal of stopped containers cannot be written: ${path}: ${reason}`,
    {
      hint: 'Nothing is stopped without it. Name a folder that can be written by RESPALDO_STATE_DIR.',
      cause: error,
    },
  );
}
