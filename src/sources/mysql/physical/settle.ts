/** What becomes of restored files when they are ready. */
import { chmod, lchown, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A folder with all that is in it; the folder itself is closed to others. */
export async function giveTo({ uid, gid }: Owner, folder: string): Promise<void> {
  await lchown(folder, uid, gid);
  await chmod(folder, 0o700);
  for (const path of await everythingIn(folder)) await lchown(path, uid, gid);
}

/** It is all there when this machine loses power right afterwards. */
export async function makeDurable(folder: string): Promise<void> {
  for (const path of [...(await everythingIn(folder)), folder]) {
    await using file = await open(path, 'r');
    await file.sync();
  }
}

async function everythingIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map(({ parentPath, name }) => join(parentPath, name));
}
