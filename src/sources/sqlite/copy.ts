import { createReadStream } from 'node:fs';
import { access, constants, mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Metadata } from '../../domain/entry.ts';
import { errnoOf, RespaldoError } from '../../errors.ts';
import type { SourceIo } from '../source.ts';
import type { Facts } from './facts.ts';
import { ask, firstRow, SqliteError } from './questions.ts';
import { refusal } from './refusal.ts';

const PIECE_BYTES = 1024 * 1024;

type Io = Pick<SourceIo, 'runtime' | 'signal'>;

/** A database as it was at one moment, in a folder that nobody else may look into. Disposing removes both. */
interface Copy extends AsyncDisposable {
  readonly file: string;
  bytes(): AsyncIterable<Uint8Array>;
  /** The original's. */
  readonly metadata: Metadata;
  readonly facts: Pick<Facts, 'file' | 'original' | 'journalMode'>;
}

/** By SQLite's online backup. @throws RespaldoError `source-…`, `target-full`, `cancelled` */
export async function copyOf(original: string, io: Io & Pick<SourceIo, 'expect'>): Promise<Copy> {
  const { url, bytes, journalMode } = await look(original, io);
  io.expect(bytes);
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-sqlite-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'copy');
    await writeFile(file, '', { mode: 0o600, flag: 'wx' });
    await ask(url, [], io, file);
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

interface Seen {
  readonly url: URL;
  readonly bytes: number;
  readonly journalMode: string;
}

/** Opens the database, and looks whether there is room for a copy of it. @throws RespaldoError as {@link copyOf} */
export async function look(file: string, io: Io): Promise<Seen> {
  try {
    await requireContent(file);
    return await measure(pathToFileURL(file), io);
  } catch (error) {
    if (error instanceof SqliteError && (await isFrozen(file))) return measure(immutable(file), io);
    throw refusal(file, error);
  }
}

/** A database that nobody writes, to SQLite: it needs no files beside this one then, and makes none. */
export function immutable(file: string): URL {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
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

const MEASURE =
  'SELECT page_count * page_size, journal_mode FROM pragma_page_count, pragma_page_size, pragma_journal_mode';

/** @throws RespaldoError `target-full` if there is no room for a copy. */
async function measure(url: URL, io: Io): Promise<Seen> {
  const [answer] = await ask(url, [MEASURE], io);
  const [size, journalMode] = firstRow(answer);
  const bytes = Number(size ?? 0);
  const { bavail, bsize } = await statfs(tmpdir());
  const free = bavail * bsize;
  if (bytes <= free) return { url, bytes, journalMode: journalMode ?? '' };
  throw new RespaldoError(
    'target-full',
    `a copy of the database takes ${String(bytes)} bytes, and ${tmpdir()} has ${String(free)} free`,
    { hint: 'Free some, or name a folder on another disk by the environment variable TMPDIR.' },
  );
}

async function metadataOf(file: string): Promise<Metadata> {
  const { mode, mtimeNs, atimeNs, ctimeNs, uid, gid } = await stat(file, { bigint: true });
  return { mode: Number(mode & 0o7777n), mtimeNs, atimeNs, ctimeNs, uid: Number(uid), gid: Number(gid) };
}
