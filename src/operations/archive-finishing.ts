/** What of a run's files overlaps: the next one is read while the one before is compressed, encrypted and stored to its end. */
import type { PortableAbout, PortableFile, Source } from '../sources/source.ts';
import { hopeful, writePortableFile, type Writing } from './archive-writing.ts';

/** Files that have been read and are still being finished: one at most, while another is read. */
export class Finishing implements AsyncDisposable {
  #last: Promise<void> = Promise.resolve();
  #pending: readonly Promise<void>[] = [];

  /**
   * Resolves when the file has been read and the one before has its end. Files are told in their order.
   * @throws RespaldoError as {@link writePortableFile}, of this file or the one before
   */
  async write(file: PortableFile, source: Source, writing: Writing): Promise<void> {
    const before = this.#last;
    // Where a place has failed, it is first seen whether it is any good for this one.
    if (writing.tallies.some(({ hasFailed }) => hasFailed)) await before;
    const read = Promise.withResolvers<void>();
    const written = writeAfter(before, asRead(file, read.resolve), source, writing);
    this.#last = written;
    this.#pending = [before, written];
    // What others may build upon is remembered before its source goes on: until then it keeps what it needs for that.
    await (file.settle === undefined ? Promise.race([read.promise, written]) : written);
    await before;
  }

  /** All of them have their end. @throws RespaldoError as {@link write} */
  async end(): Promise<void> {
    await this.#last;
  }

  /** Leaves nothing at work; never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pending);
  }
}

/** What a source fails to give is missing everywhere: the others are still to come. */
async function writeAfter(before: Promise<void>, file: PortableFile, source: Source, writing: Writing): Promise<void> {
  const problem = await writePortableFile(file, source, false, writing, before);
  if (problem !== undefined) for (const tally of hopeful(writing.tallies)) tally.miss(file.name, problem);
}

/** What it says of itself is asked when it has been read: later its source may be with the next file. */
function asRead(file: PortableFile, onEnd: () => void): PortableFile {
  let about: PortableAbout | undefined;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* file.content;
      about = file.about();
    } finally {
      onEnd();
    }
  };
  return { ...file, content: content(), about: () => about ?? file.about() };
}
