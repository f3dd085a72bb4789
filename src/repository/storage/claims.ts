import type { Id } from '../format/id.ts';
import type { BlobType } from '../format/pack.ts';
import { ID_WORDS, IdWords } from './id-words.ts';
import { KnownBlobs, type KnownBlobsData, typeBit } from './known-blobs.ts';

/** A part of the set, in shared memory. Structured-cloneable. */
export interface SegmentData {
  /** Element 0 counts the rows handed out. */
  readonly taken: Int32Array<SharedArrayBuffer>;
  /** Open addressing: 0 for an empty slot, else twice (row + 1) plus the type's bit. */
  readonly slots: Int32Array<SharedArrayBuffer>;
  /** One id a row. */
  readonly ids: Uint32Array<SharedArrayBuffer>;
}

/** Everything a thread needs to take part. Structured-cloneable. */
export interface ClaimsData {
  readonly known: KnownBlobsData;
  readonly segments: readonly SegmentData[];
}

/** Rows of a segment: 4 MiB of ids and 1 MiB of slots, touched only as rows fill up. */
const ROWS = 1 << 17;
const SLOTS_A_ROW = 2;

/**
 * The set of blobs that this run stores, shared by threads without locks: of all callers that claim a new blob exactly
 * one gets `true` and must store it. While a new segment is on its way to the threads two may get it: harmless, for
 * the format allows duplicates. The other way round, a blob that nobody stores, cannot happen.
 */
export class Claims {
  readonly #known: KnownBlobs;
  readonly #segments: SegmentData[];
  /** What this thread claimed while all segments it has were full. */
  readonly #overflow = new Set<string>();
  readonly #id = new IdWords();

  constructor(data: ClaimsData) {
    this.#known = new KnownBlobs(data.known);
    this.#segments = [...data.segments];
  }

  static create(known: KnownBlobsData, rows = ROWS): ClaimsData {
    return { known, segments: [createSegment(rows)] };
  }

  /**
   * Whether the caller must store this blob: false if the repository's index has it, or somebody claimed it before.
   */
  claim(type: BlobType, blob: Id): boolean {
    if (this.#known.has(type, blob)) return false;
    const id = this.#id.setId(blob);
    const bit = typeBit(type);
    for (const segment of this.#segments) {
      const outcome = claimIn(segment, id, bit);
      if (outcome !== 'full') return outcome === 'claimed';
    }
    return this.#claimPrivately(bit, id);
  }

  /** Whether it is time to `grow` and to hand the new segment to every thread. Asked by the main thread. */
  needsGrowth(): boolean {
    const last = this.#segments.at(-1);
    // At half: the new segment then reaches every thread before the last one is full.
    return last === undefined || rowsTaken(last) >= capacityOf(last) / 2;
  }

  /** Makes a new segment, already added here. */
  grow(): SegmentData {
    const segment = createSegment(ROWS);
    this.addSegment(segment);
    return segment;
  }

  addSegment(segment: SegmentData): void {
    this.#segments.push(segment);
  }

  #claimPrivately(bit: number, id: IdWords): boolean {
    const key = `${bit}${String.fromCharCode(...id.bytes)}`;
    if (this.#overflow.has(key)) return false;
    this.#overflow.add(key);
    return true;
  }
}

type Outcome = 'claimed' | 'present' | 'full';

/**
 * Looks for the id along its chain of slots; at the chain's end it writes the id into a row of its own and then
 * publishes the row in the slot, if no other thread took the slot first (else it looks at what that one published).
 */
function claimIn(segment: SegmentData, id: IdWords, bit: number): Outcome {
  const slots = segment.slots;
  let row = -1;
  for (let slot = id.slot(slots.length); ; slot = slot + 1 === slots.length ? 0 : slot + 1) {
    let taken = Atomics.load(slots, slot);
    if (taken === 0) {
      if (row < 0) row = writeRow(segment, id);
      if (row < 0) return 'full';
      taken = Atomics.compareExchange(slots, slot, 0, ((row + 1) << 1) | bit);
      if (taken === 0) return 'claimed';
    }
    if ((taken & 1) === bit && id.equals(segment.ids, ((taken >>> 1) - 1) * ID_WORDS)) return 'present';
  }
}

/** A row of our own with this id, or -1 if the segment is full. */
function writeRow(segment: SegmentData, id: IdWords): number {
  const capacity = capacityOf(segment);
  if (rowsTaken(segment) >= capacity) return -1;
  const row = Atomics.add(segment.taken, 0, 1);
  if (row >= capacity) return -1;
  segment.ids.set(id.words, row * ID_WORDS);
  return row;
}

function rowsTaken(segment: SegmentData): number {
  return Atomics.load(segment.taken, 0);
}

function capacityOf(segment: SegmentData): number {
  return segment.slots.length / SLOTS_A_ROW;
}

function createSegment(rows: number): SegmentData {
  const shared = (words: number) => new SharedArrayBuffer(words * 4);
  return {
    taken: new Int32Array(shared(1)),
    slots: new Int32Array(shared(rows * SLOTS_A_ROW)),
    ids: new Uint32Array(shared(rows * ID_WORDS)),
  };
}
