import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

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

/** `.respaldo-demo` in the checkout, emptied of what an earlier run left; a temporary folder where that cannot be written. */
export async function preparePlace(): Promise<Place> {
  const folder = (await isWritable(CHECKOUT)) ? join(CHECKOUT, '.respaldo-demo') : await temporary();
  const place = {
    folder,
    repository: join(folder, 'repository'),
    password: randomBytes(16).toString('base64url'),
    passwordFile: join(folder, 'password'),
    files: join(folder, 'archivos'),
  };
  for (const path of [place.repository, place.passwordFile, place.files])
    await rm(path, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(place.passwordFile, `${place.password}\n`, { mode: 0o600, flag: 'wx' });
  return place;
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

function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'respaldo-demo-'));
}
