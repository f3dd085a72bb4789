import { createReadStream } from 'node:fs';
import { access, constants, mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Metadata } from '../../domain/entry.ts';
import { errnoOf, RespaldoError, throwIfAborted } from '../../errors.ts';
import type { SourceIo } from '../source.ts';
import type { Facts } from './facts.ts';
import { isLocked, isRaised, refusal } from './refusal.ts';

/** How often to try to open a database that somebody has locked, and how long to wait in between. */
const ATTEMPTS = 500;
const PAUSE_MS = 10;
/** So many pages are copied before anybody else here gets a turn. */
const STEP_PAGES = 2000;
const PIECE_BYTES = 1024 * 1024;

/** A database as it was at one moment, in a folder that nobody else may look into. Disposing removes both. */
interface Copy extends AsyncDisposable {
  readonly file: string;
  bytes(): AsyncIterable<Uint8Array>;
  /** The original's. */
  readonly metadata: Metadata;
  readonly facts: Pick<Facts, 'file' | 'original' | 'journalMode'>;
}

/** By SQLite's online backup. @throws RespaldoError `source-…`, `target-full`, `cancelled` */
export async function copyOf(original: string, { signal, expect }: SourceIo): Promise<Copy> {
  const { backup } = await import('node:sqlite');
  using database = await begin(original, signal);
  const { bytes, journalMode } = await measure(database);
  expect(bytes);
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-sqlite-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'copy');
    await writeFile(file, '', { mode: 0o600, flag: 'wx' });
    await backup(database, file, { rate: STEP_PAGES, progress: () => throwIfAborted(signal) });
    throwIfAborted(signal);
    return {
      file,
      bytes: () => createReadStream(file, { highWaterMark: PIECE_BYTES }),
      metadata: await metadataOf(original),
      facts: { file: basename(original), original, journalMode },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw refusal(original, error);
  }
}

/** Whether it could be copied now. @throws RespaldoError as {@link copyOf} */
export async function requireReadable(file: string, signal: AbortSignal): Promise<void> {
  using database = await begin(file, signal);
  await measure(database);
}

/** A database that nobody writes, to SQLite: it needs no files beside this one then, and makes none. */
export function immutable(file: string): URL {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
}

/**
 * Opens the database as it is now, and keeps it so until it is closed: what others write from now on is not seen. In WAL
 * mode they go on writing; in the other modes they wait.
 */
async function begin(file: string, signal: AbortSignal): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  try {
    await requireContent(file);
    for (let attempt = 1; ; attempt++)
      try {
        return start(new DatabaseSync(file, { readOnly: true }));
      } catch (error) {
        if (!isLocked(error) || attempt === ATTEMPTS) throw error;
        await wait(PAUSE_MS, undefined, { signal });
      }
  } catch (error) {
    if (isRaised(error) && (await isFrozen(file))) return start(new DatabaseSync(immutable(file), { readOnly: true }));
    throw refusal(file, error);
  }
}

/** A transaction sees the database as it is at its first question. */
function start(database: DatabaseSync): DatabaseSync {
  try {
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

async function requireContent(file: string): Promise<void> {
  const found = await stat(file);
  if (!found.isFile())
    throw new RespaldoError('source-refused', `${file} is no file`, { hint: 'Name the file of the database.' });
  if (found.size > 0) return;
  throw new RespaldoError('source-missing', `${file} is empty: nothing was ever written to this database`, {
    hint: 'Check the spelling: who opens a database that does not exist makes such a file.',
  });
}

/** Whether nobody can be writing it: its file system is mounted read-only, and nothing waits in its log. */
async function isFrozen(file: string): Promise<boolean> {
  const refused = await access(file, constants.W_OK).then(() => undefined, errnoOf);
  const logged = await stat(`${file}-wal`).then(
    ({ size }) => size,
    () => 0,
  );
  return refused === 'EROFS' && logged === 0;
}

const measured = z.object({ bytes: z.number(), journalMode: z.string() });

/** @throws RespaldoError `target-full` if there is no room for a copy. */
async function measure(database: DatabaseSync): Promise<z.infer<typeof measured>> {
  const sizes = 'SELECT page_count * page_size AS bytes, journal_mode AS journalMode';
  const pragmas = 'pragma_page_count, pragma_page_size, pragma_journal_mode';
  const found = measured.parse(database.prepare(`${sizes} FROM ${pragmas}`).get());
  const { bavail, bsize } = await statfs(tmpdir());
  const free = bavail * bsize;
  if (found.bytes <= free) return found;
  throw new RespaldoError(
    'target-full',
    `a copy of the database takes ${String(found.bytes)} bytes, and ${tmpdir()} has ${String(free)} free`,
    { hint: 'Free some, or name a folder on another disk by the environment variable TMPDIR.' },
  );
}

async function metadataOf(file: string): Promise<Metadata> {
  const { mode, mtimeNs, atimeNs, ctimeNs, uid, gid } = await stat(file, { bigint: true });
  return { mode: Number(mode & 0o7777n), mtimeNs, atimeNs, ctimeNs, uid: Number(uid), gid: Number(gid) };
}
