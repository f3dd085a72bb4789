import type { Id } from '../format/id.ts';
import { type IndexedPack, parseIndex } from '../format/index-file.ts';
import { type BlobType, entrySize, type PackedBlob } from '../format/pack.ts';
import { release } from '../workers/release.ts';
import { IdRows } from './id-rows.ts';
import { ID_WORDS, idAt, IdWords } from './id-words.ts';
import { BLOB_WORDS, scanIndex, type ScannedIndex } from './index-scan.ts';
import {
  BLOB_FIELDS,
  type KnownBlobsData,
  LENGTH,
  OFFSET,
  packOf,
  PLACE,
  placeOf,
  TYPE_BIT,
  typeBit,
  typeOf,
  UNCOMPRESSED_LENGTH,
} from './known-blobs.ts';

/** A blob and the pack it lies in. */
export interface Located extends PackedBlob {
  readonly pack: Id;
}

/** A pack with the rows of its blobs. */
export interface PackRows {
  readonly id: Id;
  /** Packs are numbered from 0, as they were added. */
  readonly pack: number;
  /** Which of the index files lists it: the first that does. */
  readonly file: number;
  readonly rows: readonly number[];
}

/** The least that a blob takes in a compressed index file: its id as good as alone. */
const BYTES_A_BLOB = 43;
const BLOBS_A_SEGMENT = 1 << 16;
const PACKS_A_SEGMENT = 1 << 12;
/** Fields of a pack's row. */
const FIRST_ROW = 0;
const ROW_COUNT = 1;
const FILE = 2;
const PACK_FIELDS = 3;
/** The file of a pack that was added by hand. */
const NO_FILE = 0xffff_ffff;
/**
 * Where every blob lies, from all index files: some 55 bytes a blob, in shared memory. A blob is its type and id
 * together; it may lie in several packs.
 *
 * Rows number the blobs from 0 in the order they were added, so that sets of blobs can be bits by row. The blobs of one
 * pack have consecutive rows, except for a pack that index files describe differently.
 */
export class BlobIndex {
  readonly #blobs = IdRows.create(BLOB_FIELDS, BLOBS_A_SEGMENT, TYPE_BIT);
  readonly #packs = IdRows.create(PACK_FIELDS, PACKS_A_SEGMENT);
  /** Rows of packs that were described in several ways, beyond their first description. */
  readonly #laterRows = new Map<number, number[]>();
  /** Of blobs with very many rows: what those say, as far as it was asked. */
  readonly #knownOthers = new WeakMap<readonly number[], { looked: number; readonly fields: Set<string> }>();
  readonly #blobId = new IdWords();
  readonly #packId = new IdWords();
  readonly #packRow = new Uint32Array(ID_WORDS + PACK_FIELDS);
  readonly #indexIds: Id[] = [];
  /** Files that list a pack which another file lists as well. */
  readonly #overlapping = new Set<number>();

  /** Blobs, each place counted. */
  get size(): number {
    return this.#blobs.count;
  }

  get packCount(): number {
    return this.#packs.count;
  }

  /** Ids of the index files this was loaded from; their numbers are places in this list. */
  get indexIds(): readonly Id[] {
    return this.#indexIds;
  }

  /** Whether an index file lists a pack that another one lists, too. */
  isOverlapping(file: number): boolean {
    return this.#overlapping.has(file);
  }

  /** Bytes of shared memory taken. */
  get byteLength(): number {
    return this.#blobs.byteLength + this.#packs.byteLength;
  }

  hasPack(id: Id): boolean {
    return this.#packs.first(this.#packId.setId(id)) >= 0;
  }

  has(type: BlobType, id: Id): boolean {
    return this.rowOf(type, id) >= 0;
  }

  find(type: BlobType, id: Id): Located | undefined {
    const row = this.rowOf(type, id);
    return row < 0 ? undefined : this.at(row);
  }

  /** All places of the blob, in the order they were added. */
  findAll(type: BlobType, id: Id): Located[] {
    return this.rowsOf(type, id).map((row) => this.at(row));
  }

  /** The first row of the blob, or -1. */
  rowOf(type: BlobType, id: Id): number {
    return this.#rowOf(this.#blobId.setId(id), type);
  }

  /** The same for the id whose words start at `at`. */
  rowOfWords(type: BlobType, table: Uint32Array, at: number): number {
    return this.#rowOf(this.#blobId.setWords(table, at), type);
  }

  rowsOf(type: BlobType, id: Id): number[] {
    return this.#rowsOf(this.#blobId.setId(id), type);
  }

  /** The blob of a row. */
  at(row: number): Located {
    const { segment, at } = this.#blobs.locate(row);
    const place = this.#blobs.field(row, PLACE);
    return {
      id: idAt(segment, at),
      type: typeOf(place),
      offset: this.#blobs.field(row, OFFSET),
      length: this.#blobs.field(row, LENGTH),
      uncompressedLength: this.#blobs.field(row, UNCOMPRESSED_LENGTH),
      pack: this.packId(packOf(place)),
    };
  }

  /** Every known pack with its blobs in the order of their offsets. */
  *packs(): Generator<IndexedPack, void, undefined> {
    for (const { id, rows } of this.packRows()) {
      const blobs = rows.map((row) => this.at(row)).sort((a, b) => a.offset - b.offset);
      yield { id, blobs };
    }
  }

  /** Every known pack with the rows of its blobs. */
  *packRows(): Generator<PackRows, void, undefined> {
    for (let pack = 0; pack < this.#packs.count; pack++)
      yield { id: this.packId(pack), pack, file: this.#packs.field(pack, FILE), rows: this.rowsIn(pack) };
  }

  /** The rows of a pack's blobs. */
  rowsIn(pack: number): readonly number[] {
    const first = this.#packs.field(pack, FIRST_ROW);
    const rows = Array.from({ length: this.#packs.field(pack, ROW_COUNT) }, (_, i) => first + i);
    return rows.concat(this.#laterRows.get(pack) ?? []);
  }

  /** Where the blobs of a pack end, as far as they are known. */
  blobsEnd(pack: Id): number {
    const number = this.#packs.first(this.#packId.setId(pack));
    if (number < 0) return 0;
    return this.rowsIn(number).reduce(
      (end, row) => Math.max(end, this.#blobs.field(row, OFFSET) + this.#blobs.field(row, LENGTH)),
      0,
    );
  }

  /** The number of the pack that a row's blob lies in. */
  packOf(row: number): number {
    return packOf(this.#blobs.field(row, PLACE));
  }

  packId(pack: number): Id {
    const { segment, at } = this.#packs.locate(pack);
    return idAt(segment, at);
  }

  /** The rows of the same blob, this one among them, in ascending order. */
  copiesOf(row: number): number[] {
    const { segment, at } = this.#blobs.locate(row);
    const key = this.#blobId.setWords(segment, at);
    return this.#rowsOf(key, typeOf(this.#blobs.field(row, PLACE)));
  }

  /** For each row the first one of the same blob. */
  firstCopies(): Uint32Array {
    const firsts = new Uint32Array(this.size);
    for (let row = 0; row < firsts.length; row++) {
      const { segment, at } = this.#blobs.locate(row);
      firsts[row] = this.rowOfWords(typeOf(this.#blobs.field(row, PLACE)), segment, at);
    }
    return firsts;
  }

  /** Bytes that a row's blob takes in its pack: sealed, with its entry in the header. */
  bytesOf(row: number): number {
    const uncompressedLength = this.#blobs.field(row, UNCOMPRESSED_LENGTH);
    return this.#blobs.field(row, LENGTH) + entrySize({ uncompressedLength });
  }

  isTree(row: number): boolean {
    return this.#isOf(row, 'tree');
  }

  isCompressed(row: number): boolean {
    return this.#blobs.field(row, UNCOMPRESSED_LENGTH) !== 0;
  }

  /** Makes room for what index files of so many bytes list, in all. */
  expect(bytes: number): void {
    this.#blobs.expect(Math.ceil(bytes / BYTES_A_BLOB));
  }

  /** Adds a pack that no file lists. What is known of it already is not added twice. */
  add(pack: Id, blobs: readonly PackedBlob[]): void {
    this.#add(pack, blobs, NO_FILE);
  }

  /**
   * Adds what an index file lists.
   * @throws RespaldoError `repository-damaged`; nothing of the file is added then
   */
  addFile(id: Id, json: Uint8Array): void {
    const scanned = scanIndex(json);
    const packs = scanned === undefined ? parseIndex(json).packs : [];
    const file = this.#indexIds.push(id) - 1;
    if (scanned !== undefined) {
      this.#addScanned(scanned, file);
      release(scanned.blobs);
      release(scanned.packIds);
    }
    for (const pack of packs) this.#add(pack.id, pack.blobs, file);
  }

  /** For {@link KnownBlobs} in other threads; blobs added later may or may not be seen there. */
  shared(): KnownBlobsData {
    return this.#blobs.data;
  }

  #addScanned({ packIds, firstBlobs, blobs }: ScannedIndex, file: number): void {
    for (let pack = 0; pack + 1 < firstBlobs.length; pack++) {
      const rows = blobs.subarray((firstBlobs[pack] ?? 0) * BLOB_WORDS, (firstBlobs[pack + 1] ?? 0) * BLOB_WORDS);
      this.#addRows(this.#packId.setWords(packIds, pack * ID_WORDS), rows, file);
    }
  }

  #add(pack: Id, blobs: readonly PackedBlob[], file: number): void {
    const rows = new Uint32Array(blobs.length * BLOB_WORDS);
    for (const [i, { id, type, offset, length, uncompressedLength }] of blobs.entries()) {
      rows.set(this.#blobId.setId(id).words, i * BLOB_WORDS);
      rows.set([placeOf(0, type), offset, length, uncompressedLength], i * BLOB_WORDS + ID_WORDS);
    }
    this.#addRows(this.#packId.setId(pack), rows, file);
  }

  /** @param rows of {@link BLOB_WORDS}, whose places hold the type alone; they are filled in */
  #addRows(packId: IdWords, rows: Uint32Array, file: number): void {
    const known = this.#packs.first(packId);
    const pack = known < 0 ? this.#packs.count : known;
    for (let at = ID_WORDS + PLACE; at < rows.length; at += BLOB_WORDS) rows[at] = placeOf(pack, typeOf(rows[at] ?? 0));
    if (known >= 0) {
      this.#addToKnown(pack, rows, file);
      return;
    }
    this.#packRow.set(packId.words);
    this.#packRow.set([this.#blobs.count, rows.length / BLOB_WORDS, file], ID_WORDS);
    this.#packs.append(this.#packRow);
    this.#blobs.appendAll(rows);
  }

  /** Adds what other files did not tell of the pack. */
  #addToKnown(pack: number, rows: Uint32Array, file: number): void {
    this.#overlapping.add(file);
    this.#overlapping.add(this.#packs.field(pack, FILE));
    for (let at = 0; at < rows.length; at += BLOB_WORDS) {
      if (this.#lists(rows, at)) continue;
      const later = this.#laterRows.get(pack) ?? [];
      later.push(this.#blobs.append(rows, at));
      this.#laterRows.set(pack, later);
    }
  }

  /** Whether there is a row that is the same word for word. */
  #lists(rows: Uint32Array, at: number): boolean {
    const key = this.#blobId.setWords(rows, at);
    for (let row = this.#blobs.first(key); row >= 0; row = this.#blobs.next(key))
      if (this.#equals(row, rows, at) || this.#othersHold(row, rows, at)) return true;
    return false;
  }

  #equals(row: number, rows: Uint32Array, at: number): boolean {
    let field = 0;
    while (field < BLOB_FIELDS && this.#blobs.field(row, field) === rows[at + ID_WORDS + field]) field += 1;
    return field === BLOB_FIELDS;
  }

  /** Whether one of the many rows of a blob is the same. Each of them is looked at once, not once for each question. */
  #othersHold(first: number, rows: Uint32Array, at: number): boolean {
    const others = this.#blobs.others(first);
    if (others.length === 0) return false;
    const known = this.#knownOthers.get(others) ?? { looked: 0, fields: new Set<string>() };
    for (; known.looked < others.length; known.looked++) known.fields.add(this.#fieldsOf(others[known.looked] ?? 0));
    this.#knownOthers.set(others, known);
    return known.fields.has(rows.subarray(at + ID_WORDS, at + BLOB_WORDS).join());
  }

  #fieldsOf(row: number): string {
    return Array.from({ length: BLOB_FIELDS }, (_, field) => this.#blobs.field(row, field)).join();
  }

  #rowOf(key: IdWords, type: BlobType): number {
    for (let row = this.#blobs.first(key); row >= 0; row = this.#blobs.next(key)) if (this.#isOf(row, type)) return row;
    return -1;
  }

  #rowsOf(key: IdWords, type: BlobType): number[] {
    const rows: number[] = [];
    for (let row = this.#blobs.first(key); row >= 0; row = this.#blobs.next(key))
      if (this.#isOf(row, type)) {
        rows.push(row);
        for (const other of this.#blobs.others(row)) rows.push(other);
      }
    return rows.sort((a, b) => a - b);
  }

  #isOf(row: number, type: BlobType): boolean {
    return (this.#blobs.field(row, PLACE) & 1) === typeBit(type);
  }
}
