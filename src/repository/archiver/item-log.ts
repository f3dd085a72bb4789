/** A worker's notes of what becomes of each entry. */
import { posix } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { BlobSink } from './blob-sink.ts';
import type { Added, ReadItem } from './protocol.ts';

const NOTHING: Added = { bytes: 0, stored: 0 };

export class ItemLog {
  readonly items: ReadItem[] = [];
  readonly #sink: BlobSink;
  #before = NOTHING;
  #began = 0;

  constructor(sink: BlobSink) {
    this.#sink = sink;
  }

  excluded(local: string): void {
    this.items.push({ local, action: 'excluded', added: NOTHING, milliseconds: 0 });
  }

  /** Of a marked folder's names only these are kept. */
  dropped(folder: string, names: readonly string[], kept: readonly string[]): void {
    for (const name of names) if (!kept.includes(name)) this.excluded(posix.join(folder, name));
  }

  unchanged(local: string): void {
    this.items.push({ local, action: 'unchanged', added: NOTHING, milliseconds: 0 });
  }

  /** A file is going to be read. */
  begin(): void {
    this.#before = this.#sink.added;
    this.#began = systemClock.monotonic();
  }

  /** It has been. `isKnown`: the parent snapshot has a file under its name. */
  end(local: string, isKnown: boolean): void {
    this.items.push({
      local,
      action: isKnown ? 'modified' : 'new',
      added: difference(this.#sink.added, this.#before),
      milliseconds: systemClock.monotonic() - this.#began,
    });
  }
}

export function difference(after: Added, before: Added): Added {
  return { bytes: after.bytes - before.bytes, stored: after.stored - before.stored };
}
