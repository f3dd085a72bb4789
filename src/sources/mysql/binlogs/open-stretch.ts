import type { Entry } from '../../../domain/entry.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import type { LogStretch } from '../../source.ts';
import { factsEntry, folderEntry } from './entries.ts';
import { MAGIC } from './event.ts';
import type { BinlogFacts } from './facts.ts';
import type { LogPosition, PlacedEvent } from './reader.ts';
import { partPath, Stretch } from './stretch.ts';

/** A stretch that grows in memory, and is stored again and again until it is long enough. */
export class OpenStretch {
  readonly #stretch: Stretch;
  readonly #files: { readonly path: string; readonly pieces: Uint8Array[] }[] = [];
  #stored = 0;
  #isFresh = true;

  constructor(stretch: Stretch) {
    this.#stretch = stretch;
  }

  get stretch(): Stretch {
    return this.#stretch;
  }

  get to(): LogPosition {
    return this.#stretch.to;
  }

  /** Whether something has come since it was stored. */
  get hasNews(): boolean {
    return this.#stretch.bytes > this.#stored;
  }

  add(placed: PlacedEvent): void {
    if (this.#stretch.add(placed)) {
      const begin = placed.from === MAGIC.length ? [MAGIC] : [];
      this.#files.push({ path: partPath(placed.file, placed.from), pieces: [...begin] });
    }
    this.#files.at(-1)?.pieces.push(placed.event.bytes);
  }

  /** All of it until now. */
  handOver(facts: BinlogFacts): LogStretch {
    const replacesLast = !this.#isFresh;
    this.#isFresh = false;
    this.#stored = this.#stretch.bytes;
    const { from, to, transactions, lastTime } = facts;
    return {
      entries: [folderEntry(), ...this.#files.map(fileEntry), factsEntry(facts)],
      replacesLast,
      range: `${from.file}:${String(from.offset)} to ${to.file}:${String(to.offset)}`,
      transactions,
      bytes: this.#stretch.bytes,
      ...(lastTime !== undefined && { through: new Date(lastTime) }),
    };
  }

  /** The one that follows, where this one was stored. */
  next(facts: BinlogFacts): OpenStretch {
    return new OpenStretch(new Stretch(facts.to, facts, this.#stretch.transactions));
  }
}

function fileEntry({ path, pieces }: { readonly path: string; readonly pieces: readonly Uint8Array[] }): Entry {
  return { kind: 'file', path, metadata: dumpMetadata(), content: [...pieces] };
}
