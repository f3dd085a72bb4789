import { ID_WORDS, type IdWords, slotOf } from './id-words.ts';

/** What another thread needs to look ids up. Structured-cloneable: the tables lie in shared memory. */
export interface IdRowsData {
  readonly width: number;
  readonly segmentRows: number;
  readonly segments: readonly Uint32Array<SharedArrayBuffer>[];
  /** Open addressing: 0 for an empty slot, else a row's number plus one. */
  readonly slots: Uint32Array<SharedArrayBuffer>;
  /** Bits of the first field that tell rows of one id apart, for those in other threads too. */
  readonly kindBits: number;
}

const FIRST_SLOTS = 1024;
/** Slots are replaced by half as many more once three quarters are taken: 5 to 8 bytes a row. */
const MAX_LOAD = 0.75;
const GROWTH = 1.5;
/** From here on a way through taken slots is long: it is looked whether the same id has taken them. */
const LONG_WAY = 24;
const NONE: readonly number[] = [];

/**
 * Rows of 32-bit words that start with an id and are found by it; several rows may have the same id. Rows come in
 * segments that never move, so that growth copies only the slots. Readers in other threads see the rows that were
 * there when they got the data, and perhaps later ones.
 *
 * Of rows that have the id, and the kind, of one that was there before, only some have slots, lest others lose their way
 * among them; the rest are known to this object alone, see {@link others}.
 */
export class IdRows {
  readonly #width: number;
  readonly #segmentRows: number;
  readonly #shift: number;
  readonly #segments: Uint32Array<SharedArrayBuffer>[];
  readonly #kindBits: number;
  /** Rows without slots, by the first row of their id and kind. */
  readonly #others = new Map<number, number[]>();
  #slots: Uint32Array<SharedArrayBuffer>;
  #count = 0;
  #cursor = 0;

  constructor(data: IdRowsData) {
    this.#width = data.width;
    this.#segmentRows = data.segmentRows;
    this.#shift = Math.log2(data.segmentRows);
    this.#segments = [...data.segments];
    this.#slots = data.slots;
    this.#kindBits = data.kindBits;
  }

  /**
   * @param fields words after the id in each row
   * @param segmentRows a power of two
   * @param kindBits see {@link IdRowsData}
   */
  static create(fields: number, segmentRows: number, kindBits = 0): IdRows {
    return new IdRows({ width: ID_WORDS + fields, segmentRows, segments: [], slots: allocate(FIRST_SLOTS), kindBits });
  }

  /** Makes room for so many rows in all, so that slots need not grow towards them. */
  expect(rows: number): void {
    const wanted = Math.ceil(rows / MAX_LOAD);
    if (wanted > this.#slots.length) this.#resizeSlots(wanted);
  }

  /** Rows appended through this object. */
  get count(): number {
    return this.#count;
  }

  get data(): IdRowsData {
    return {
      width: this.#width,
      segmentRows: this.#segmentRows,
      segments: this.#segments,
      slots: this.#slots,
      kindBits: this.#kindBits,
    };
  }

  /** Bytes of shared memory taken. */
  get byteLength(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.byteLength, this.#slots.byteLength);
  }

  /** Copies a row: its words, the id first, lie from `from` in `source`. @returns its number */
  append(source: Uint32Array, from = 0): number {
    this.appendAll(source.subarray(from, from + this.#width));
    return this.#count - 1;
  }

  /** Copies rows that lie one behind the other; they get the next numbers. */
  appendAll(rows: Uint32Array): void {
    const added = rows.length / this.#width;
    while (this.#count + added > this.#slots.length * MAX_LOAD)
      this.#resizeSlots(Math.ceil(this.#slots.length * GROWTH));
    for (let from = 0; from < rows.length;) {
      if (this.#count % this.#segmentRows === 0) this.#segments.push(allocate(this.#segmentRows * this.#width));
      const segment = this.#segmentOf(this.#count);
      const at = this.#offsetOf(this.#count);
      const piece = rows.subarray(from, from + segment.length - at);
      segment.set(piece, at);
      for (const end = this.#count + piece.length / this.#width; this.#count < end; this.#count++)
        this.#enter(this.#slots, this.#count);
      from += piece.length;
    }
  }

  /** Rows of the same id and kind that `first` and `next` do not come to, in the order they were added. */
  others(row: number): readonly number[] {
    return this.#others.get(row) ?? NONE;
  }

  /** The first row with this id, or -1. `next` continues from here. */
  first(id: IdWords): number {
    this.#cursor = id.slot(this.#slots.length);
    return this.#seek(id);
  }

  /** The next row with the same id, or -1. */
  next(id: IdWords): number {
    this.#cursor = this.#after(this.#cursor);
    return this.#seek(id);
  }

  field(row: number, field: number): number {
    return this.#segmentOf(row)[this.#offsetOf(row) + ID_WORDS + field] ?? 0;
  }

  /** Where the row lies: its segment, and the position of its first word there. */
  locate(row: number): { readonly segment: Uint32Array<SharedArrayBuffer>; readonly at: number } {
    return { segment: this.#segmentOf(row), at: this.#offsetOf(row) };
  }

  #seek(id: IdWords): number {
    for (;;) {
      const taken = this.#slots[this.#cursor] ?? 0;
      if (taken === 0) return -1;
      const row = taken - 1;
      const segment = this.#segments[row >>> this.#shift];
      // A row of a segment that this thread was not given is one that was added later.
      if (segment !== undefined && id.equals(segment, this.#offsetOf(row))) return row;
      this.#cursor = this.#after(this.#cursor);
    }
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots.length ? 0 : slot + 1;
  }

  #resizeSlots(length: number): void {
    const slots = allocate(length);
    this.#others.clear();
    for (let row = 0; row < this.#count; row++) this.#enter(slots, row);
    this.#slots = slots;
  }

  #enter(slots: Uint32Array, row: number): void {
    let slot = slotOf(this.#segmentOf(row), this.#offsetOf(row), slots.length);
    for (let steps = 1; slots[slot] !== 0; steps++) {
      if (steps % LONG_WAY === 0 && this.#joinOthers(slots, slot, row)) return;
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
    slots[slot] = row + 1;
  }

  /** Looks at the last part of a long way. @returns false where there is no row of the same id and kind */
  #joinOthers(slots: Uint32Array, end: number, row: number): boolean {
    for (let back = LONG_WAY - 1; back >= 0; back--) {
      const first = (slots[(end - back + slots.length) % slots.length] ?? 0) - 1;
      if (!this.#isSame(first, row)) continue;
      const others = this.#others.get(first);
      if (others === undefined) this.#others.set(first, [row]);
      else others.push(row);
      return true;
    }
    return false;
  }

  #isSame(one: number, other: number): boolean {
    const [a, b] = [this.#segmentOf(one), this.#segmentOf(other)];
    const [i, j] = [this.#offsetOf(one), this.#offsetOf(other)];
    for (let word = 0; word < ID_WORDS; word++) if (a[i + word] !== b[j + word]) return false;
    return (((a[i + ID_WORDS] ?? 0) ^ (b[j + ID_WORDS] ?? 0)) & this.#kindBits) === 0;
  }

  #segmentOf(row: number): Uint32Array<SharedArrayBuffer> {
    const segment = this.#segments[row >>> this.#shift];
    if (segment === undefined) throw new RangeError(`no row ${row}`);
    return segment;
  }

  #offsetOf(row: number): number {
    return (row & (this.#segmentRows - 1)) * this.#width;
  }
}

function allocate(words: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(words * Uint32Array.BYTES_PER_ELEMENT));
}
