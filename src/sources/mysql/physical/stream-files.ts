/** The files of a stream one after the other, although their chunks come mixed. */
import { Spool } from './spool.ts';
import type { Chunk } from './xbstream.ts';

export interface StreamFile {
  /** As in {@link Chunk.path}. */
  readonly path: string;
  /** To be read to its end before the next file is asked for. */
  readonly content: AsyncIterable<Buffer>;
  /** Where it is known already: bytes. */
  readonly size: number | undefined;
}

/** InnoDB's redo log is written to for as long as the backup takes, and its file stays open among all others. */
const OPEN_ALL_ALONG = /(?:^|\/)ib_logfile\d+$/;

/** Ends normally where the chunks do, after every file. */
export async function* filesOf(chunks: AsyncGenerator<Chunk>): AsyncGenerator<StreamFile> {
  const files = new StreamFiles(chunks);
  try {
    yield* files.all();
  } finally {
    await files.close();
  }
}

class StreamFiles {
  readonly #chunks: AsyncGenerator<Chunk>;
  /** In the order in which they began. */
  readonly #spools = new Map<string, Spool>();

  constructor(chunks: AsyncGenerator<Chunk>) {
    this.#chunks = chunks;
  }

  async *all(): AsyncGenerator<StreamFile> {
    for (;;) {
      const next = this.#ready();
      if (next === undefined) {
        const chunk = await this.#next();
        if (chunk === undefined) return;
        await this.#keep(chunk);
        continue;
      }
      const [path, spool] = next;
      const content = this.#content(spool);
      yield { path, content, size: spool.ended ? spool.size : undefined };
      // What nobody has read is skipped.
      for await (const _piece of content) continue;
      this.#spools.delete(path);
      await spool[Symbol.asyncDispose]();
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined);
    for (const spool of this.#spools.values()) await spool[Symbol.asyncDispose]();
  }

  #ready(): readonly [string, Spool] | undefined {
    return [...this.#spools].find(([path, { ended }]) => ended || !OPEN_ALL_ALONG.test(path));
  }

  /** What has come of the file already, and then what comes; what comes of others meanwhile is kept. */
  async *#content(spool: Spool): AsyncGenerator<Buffer> {
    for (;;) {
      yield* spool.take();
      if (spool.ended) return;
      const chunk = await this.#next();
      // The stream itself throws where a file does not end.
      if (chunk === undefined) return;
      if (this.#spools.get(chunk.path) !== spool || chunk.payload === undefined) await this.#keep(chunk);
      else yield* chunk.payload;
    }
  }

  async #next(): Promise<Chunk | undefined> {
    const next = await this.#chunks.next();
    return next.done === true ? undefined : next.value;
  }

  async #keep({ path, payload }: Chunk): Promise<void> {
    const spool = this.#spools.get(path) ?? new Spool();
    this.#spools.set(path, spool);
    if (payload === undefined) spool.ended = true;
    else for await (const piece of payload) await spool.add(piece);
  }
}
