/** Up to where a server's log lies in archives, as this machine remembers it. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errnoOf, RespaldoError } from '../../../errors.ts';
import type { Increments } from '../../source.ts';
import { binlogFacts } from './facts.ts';

const storedLog = binlogFacts.extend({
  /** The chain of the snapshots that archives were made of, where it has another name than that of the archives. */
  snapshots: z.string().exactOptional(),
});

/** The last stretch that is in all archives. */
export type StoredLog = z.infer<typeof storedLog>;

export class Memory {
  readonly #folder: string;
  readonly #file: string;

  /** @param path what identifies the log */
  constructor(path: string, { folder, plan, archives }: Pick<Increments, 'folder' | 'plan' | 'archives'>) {
    const id = createHash('sha256')
      .update(JSON.stringify([plan, path, archives.toSorted()]))
      .digest('hex');
    this.#folder = join(folder, id.slice(0, 32));
    this.#file = join(this.#folder, 'log.json');
  }

  /** Undefined where nothing is kept, or nothing that can be used: then all is stored that the server has. */
  async read(): Promise<StoredLog | undefined> {
    try {
      return storedLog.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
      throw error;
    }
  }

  /** All at once: whoever is killed in between leaves the old one. @throws RespaldoError `target-refused` */
  async write(facts: StoredLog): Promise<void> {
    const temporary = join(this.#folder, `log-${randomUUID()}.tmp`);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await using file = await open(temporary, 'wx', 0o600);
      await file.writeFile(JSON.stringify(facts));
      await file.sync();
      await rename(temporary, this.#file);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw new RespaldoError('target-refused', `cannot keep up to where the log is stored, in ${this.#folder}`, {
        hint: 'Check the folder. It may be removed: then all is stored again that the server has.',
        cause: error,
      });
    }
  }
}
