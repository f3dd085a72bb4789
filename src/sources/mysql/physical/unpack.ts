/** The stream of `mariadb-backup` put back into a folder, without any other program that knows the format. */
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeName } from '../../../domain/name.ts';
import { errnoOf } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import { findBackupProgram } from './backup-program.ts';
import { prepare, type Workshop } from './prepare.ts';
import { moveUp, UNFINISHED } from './restore.ts';
import { nameOfIncrement, WHOLE } from './stored-copies.ts';
import { XbStream } from './xbstream.ts';

/** A copy that has been put into the folder has brought it. */
const BROUGHT = 'backup-my.cnf';
const INCREMENT = '.respaldo-increment';

/**
 * Puts a portable copy into a folder, and makes what is there usable: the first one holds everything, each further one
 * what has changed since the one before it.
 * @throws RespaldoError `source-lost` for a stream that is not whole, `source-damaged` where copies do not fit, `tool-missing`
 */
export async function unpackFiles(content: AsyncIterable<Uint8Array>, folder: string, io: SourceIo): Promise<void> {
  const program = await findBackupProgram(io.runtime, io.signal);
  const shop = {
    runtime: io.runtime,
    program,
    signal: io.signal,
    command: (argv: readonly [string, ...string[]]) => ({ argv }),
  };
  if (!(await isThere(join(folder, BROUGHT)))) {
    await writeFiles(content, folder);
    if (await isThere(join(folder, WHOLE, BROUGHT))) await putTogether(folder, shop);
    else await prepare(folder, undefined, shop);
    return;
  }
  const increment = join(folder, INCREMENT, 'files');
  try {
    await writeFiles(content, increment);
    await prepare(folder, increment, shop);
  } finally {
    await rm(dirname(increment), { recursive: true, force: true });
  }
}

/** Several copies, each in a folder of its own, become one in the folder itself. */
async function putTogether(folder: string, shop: Workshop): Promise<void> {
  // A database may have the name of the folder.
  const data = join(folder, UNFINISHED);
  await rename(join(folder, WHOLE), data);
  await prepare(data, undefined, shop);
  for (let i = 1; await isThere(join(folder, nameOfIncrement(i))); i += 1) {
    const increment = join(folder, nameOfIncrement(i));
    await prepare(data, increment, shop);
    await rm(increment, { recursive: true });
  }
  await moveUp(data, folder);
  await rm(data, { recursive: true });
}

async function writeFiles(content: AsyncIterable<Uint8Array>, folder: string): Promise<void> {
  await using files = new OpenFiles(folder);
  for await (const { path, payload } of new XbStream(content).chunks()) await files.add(path, payload);
}

/** Several files come at once. */
class OpenFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #open = new Map<string, Awaited<ReturnType<typeof open>>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(path: string, payload: AsyncIterable<Buffer> | undefined): Promise<void> {
    const file = this.#open.get(path) ?? (await this.#make(path));
    if (payload !== undefined) {
      for await (const piece of payload) await file.writeFile(piece);
      return;
    }
    this.#open.delete(path);
    await file.sync();
    await file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#open.values()) await file.close();
  }

  async #make(path: string): Promise<Awaited<ReturnType<typeof open>>> {
    const place = join(this.#folder, path);
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    const file = await open(Buffer.from(encodeName(place)), 'wx', 0o600);
    this.#open.set(path, file);
    return file;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
