/** Carries chunks of streams to the workers, several at a time, and their ids back. */
import { RespaldoError } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import type { Crew } from '../workers/crew.ts';
import { release } from '../workers/release.ts';
import type { Added, Answer, BlobTally, FilledPack, Task } from './protocol.ts';

const BATCH_SIZE = 2 * 1024 * 1024;

interface Batch {
  readonly bytes: Uint8Array;
  used: number;
  readonly lengths: number[];
  readonly receivers: ((id: Id) => void)[];
}

/** One stream at a time: reserve, fill, commit. */
export class Batches {
  readonly #crew: Crew<Task, Answer, FilledPack>;
  readonly #onTally: (tally: BlobTally) => void;
  readonly #spare: Uint8Array[] = [];
  readonly #sent = new Set<Promise<void>>();
  #current: Batch | undefined;
  #added: Added = { bytes: 0, stored: 0 };

  constructor(crew: Crew<Task, Answer, FilledPack>, onTally: (tally: BlobTally) => void) {
    this.#crew = crew;
    this.#onTally = onTally;
  }

  /** What was stored altogether: of all chunks after a {@link drain}. */
  get added(): Added {
    return this.#added;
  }

  /** Room for `size` bytes in a row; waits while the workers have enough to do. */
  async reserve(size: number): Promise<Uint8Array> {
    if (this.#current !== undefined && this.#current.bytes.length - this.#current.used < size) this.#send();
    while (this.#current === undefined && this.#sent.size > this.#crew.size) await Promise.race(this.#sent);
    this.#current ??= { bytes: this.#buffer(size), used: 0, lengths: [], receivers: [] };
    return this.#current.bytes.subarray(this.#current.used, this.#current.used + size);
  }

  /** The first `length` bytes of the room last reserved are a chunk; `receive` gets its id later. */
  commit(length: number, receive: (id: Id) => void): void {
    if (this.#current === undefined) throw new RespaldoError('internal', 'a chunk was committed without room for it');
    this.#current.used += length;
    this.#current.lengths.push(length);
    this.#current.receivers.push(receive);
  }

  /** Every chunk's id has been received when this resolves. */
  async drain(): Promise<void> {
    this.#send();
    await Promise.all(this.#sent);
  }

  #send(): void {
    const batch = this.#current;
    this.#current = undefined;
    if (batch === undefined || batch.lengths.length === 0) return;
    // A failed one stays in the set, so that whoever waits next gets its error.
    const sent = this.#deliver(batch).then(() => {
      this.#sent.delete(sent);
    });
    this.#sent.add(sent);
    sent.catch(() => undefined);
  }

  async #deliver({ bytes, lengths, receivers }: Batch): Promise<void> {
    const answer = await this.#crew.run({ kind: 'chunks', bytes, lengths }, [bytes.buffer as ArrayBuffer]);
    if (answer.kind !== 'chunks') throw new RespaldoError('internal', `unexpected answer ${answer.kind}`);
    for (const [at, id] of answer.ids.entries()) receivers[at]?.(id);
    const { bytes: plain, stored } = answer.tally;
    this.#added = { bytes: this.#added.bytes + plain, stored: this.#added.stored + stored };
    this.#onTally(answer.tally);
    if (answer.bytes.length === BATCH_SIZE) this.#spare.push(answer.bytes);
    else release(answer.bytes);
  }

  #buffer(size: number): Uint8Array {
    return size > BATCH_SIZE ? newBuffer(size) : (this.#spare.pop() ?? newBuffer(BATCH_SIZE));
  }
}

/** Outside Node's pool, so that it can be moved to another thread. */
function newBuffer(size: number): Uint8Array {
  return Buffer.allocUnsafeSlow(size);
}
