import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { RespaldoError } from '../../src/errors.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');

/** What the demonstration leaves behind to look into. */
export interface Place {
  readonly folder: string;
  readonly repository: string;
  readonly password: string;
  readonly passwordFile: string;
  /** The shop's files, which are backed up beside the server. */
  readonly files: string;
}

/**
 * @param wanted a folder that is missing or empty. Default: `.respaldo-demo` in the checkout, emptied of what an earlier
 *   run left; a temporary folder where that cannot be written.
 */
export async function preparePlace(wanted: string | undefined): Promise<Place> {
  const folder = wanted === undefined ? await usualFolder() : await emptyFolder(resolve(wanted));
  const place = {
    folder,
    repository: join(folder, 'repository'),
    password: randomBytes(16).toString('base64url'),
    passwordFile: join(folder, 'password'),
    files: join(folder, 'archivos'),
  };
  await writeFile(place.passwordFile, `${place.password}\n`, { mode: 0o600, flag: 'wx' });
  return place;
}

async function usualFolder(): Promise<string> {
  if (!(await isWritable(CHECKOUT))) return mkdtemp(join(tmpdir(), 'respaldo-demo-'));
  const folder = join(CHECKOUT, '.respaldo-demo');
  await rm(folder, { recursive: true, force: true });
  return emptyFolder(folder);
}

async function emptyFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new RespaldoError('target-not-empty', `${folder} is not empty`, { hint: 'Name a missing or empty folder.' });
  return folder;
}

/** As short as it can be typed from here. */
export function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}
