import { chmod, lchown, mkdir, open, rm, stat, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../errors.ts';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Changes a restored data directory: everything it makes is private, durable and belongs to the directory's owner. */
export class RestoredFiles {
  readonly #owner: Owner | undefined;

  private constructor(owner: Owner | undefined) {
    this.#owner = owner;
  }

  /** The owner is that of a file that every data directory has; only root can give files away. */
  static async beside(file: string): Promise<RestoredFiles> {
    const { uid, gid } = await stat(file);
    return new RestoredFiles(process.getuid?.() === 0 ? { uid, gid } : undefined);
  }

  async write(path: string, content: string | Uint8Array): Promise<void> {
    await rm(path, { force: true });
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#settle(path);
  }

  async link(target: string, path: string): Promise<void> {
    await rm(path, { force: true });
    await symlink(target, path);
    await this.#settle(path);
  }

  async remove(path: string): Promise<boolean> {
    try {
      await rm(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    await syncFolder(dirname(path));
    return true;
  }

  /** Makes the folder if it is missing; 0700 either way. PostgreSQL refuses a data directory that others can enter. */
  async privateFolder(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    await this.#settle(path);
  }

  async #settle(path: string): Promise<void> {
    if (this.#owner !== undefined) await lchown(path, this.#owner.uid, this.#owner.gid);
    await syncFolder(dirname(path));
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
