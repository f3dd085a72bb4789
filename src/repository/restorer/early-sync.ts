import { syncFilesystemMeanwhile } from '../filesystem/durable.ts';
import { fsPath } from '../filesystem/path.ts';
import { targetError } from './target-error.ts';

/** So much may be waiting in memory before the system is asked to store it. */
const EVERY_BYTES = 128 * 1024 * 1024;

/**
 * Has what was restored stored while the restore goes on, again and again: left to the system, nearly all of it would
 * wait for the sync at the end, and the end for it.
 */
export class EarlySync {
  readonly #folder: string;
  #waiting = 0;
  #current: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param folder on the file system that is written to */
  constructor(folder: string) {
    this.#folder = folder;
  }

  wrote(bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting < EVERY_BYTES || this.#current !== undefined) return;
    this.#waiting = 0;
    this.#current = this.#sync().finally(() => (this.#current = undefined));
  }

  /** @throws RespaldoError of the target: what the system could not store it tells once, and then to us */
  async finish(): Promise<void> {
    await this.#current;
    if (this.#failure !== undefined) throw targetError('sync', this.#folder, this.#failure.error);
  }

  async #sync(): Promise<void> {
    try {
      await syncFilesystemMeanwhile(fsPath(this.#folder));
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}
