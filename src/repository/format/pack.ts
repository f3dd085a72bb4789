import { RespaldoError } from '../../errors.ts';
import { compress } from './compress.ts';
import { SEAL_OVERHEAD, type Sealer } from './crypto.ts';
import { hashId, type Id, readId, writeId } from './id.ts';
import { PACK_BYTES, type Packing } from './packing.ts';
import { newRoom, roomIn } from './room.ts';

export type BlobType = 'data' | 'tree';

/** Where a blob lies in its pack. Sizes in bytes. */
export interface PackedBlob {
  readonly id: Id;
  readonly type: BlobType;
  readonly offset: number;
  /** As stored: sealed, and compressed unless `uncompressedLength` is 0. */
  readonly length: number;
  /** 0: stored uncompressed. */
  readonly uncompressedLength: number;
}

/** Bytes of the field at the very end that tells the sealed header's length. */
const LENGTH_FIELD = 4;
const PLAIN_ENTRY = 1 + 4 + 32;
const COMPRESSED_ENTRY = PLAIN_ENTRY + 4;
/** The header and its length field may not be larger, or restic refuses the pack. */
const MAX_HEADER = 16 * 1024 * 1024 + LENGTH_FIELD;
const COMPRESSED_FLAG = 2;
const TREE_FLAG = 1;
/** Room for what a full pack's last blob and its header take beyond. */
const SPARE = 1024 * 1024;
const MAX_UINT32 = 0xffff_ffff;
const NOWHERE = new Uint8Array(0);

export interface FinishedPack {
  readonly id: Id;
  /** The whole pack, with nothing else in its buffer, so that the buffer can be transferred to another thread. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly blobs: PackedBlob[];
}

/** For packs of both types. */
export function packBuilders(sealer: Sealer, packing: Packing): Readonly<Record<BlobType, PackBuilder>> {
  return {
    data: new PackBuilder('data', sealer, packing.levels.data, packing),
    tree: new PackBuilder('tree', sealer, packing.levels.tree, packing),
  };
}

/** Collects blobs of one type into packs, one after the other. */
export class PackBuilder {
  readonly #type: BlobType;
  readonly #sealer: Sealer;
  readonly #compressLevel: number | undefined;
  readonly #alwaysCompress: boolean;
  readonly #packBytes: number;
  #room = NOWHERE;
  /** Of a pack that is written: to fill it again is cheaper than to have the system zero a new one. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #size = 0;
  #headerSize = headerBase();
  #blobs: PackedBlob[] = [];

  /**
   * @param compressLevel undefined: blobs are stored as they are
   * @param packBytes a pack is full once it has so many
   * @param alwaysCompress also what becomes no smaller by it. Trees are: restic's prune repacks every pack with an
   *   uncompressed tree, time and again
   */
  constructor(
    type: BlobType,
    sealer: Sealer,
    compressLevel: number | undefined,
    { packBytes = PACK_BYTES, alwaysCompress = type === 'tree' } = {},
  ) {
    this.#type = type;
    this.#sealer = sealer;
    this.#compressLevel = compressLevel;
    this.#alwaysCompress = alwaysCompress;
    this.#packBytes = packBytes;
  }

  /** Bytes of sealed blobs so far. */
  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#blobs.length;
  }

  /** Seals the blob into the pack, compressed if that helps. The caller has made sure that it is new. */
  add(id: Id, plain: Uint8Array): PackedBlob {
    const packed = this.#compressLevel === undefined ? undefined : compress(plain, this.#compressLevel);
    if (packed !== undefined && (packed.length < plain.length || this.#alwaysCompress))
      return this.#append(id, packed, plain.length);
    return this.#append(id, plain, 0);
  }

  /** Takes over a blob as another pack holds it, without opening it. The caller has verified it. */
  addSealed(blob: PackedBlob, sealed: Uint8Array): PackedBlob {
    const offset = this.#size;
    this.#reserve(sealed.length);
    this.#room.set(sealed, offset);
    return this.#record({ ...blob, offset, length: sealed.length });
  }

  /** Whether it is time to finish. */
  isFull(): boolean {
    return this.#size >= this.#packBytes || this.#headerSize + COMPRESSED_ENTRY > MAX_HEADER;
  }

  /** Takes back the buffer of a finished pack that nobody reads any more. */
  reuse(buffer: ArrayBuffer): void {
    this.#spare = roomIn(buffer);
  }

  /** Seals the header, hashes the pack and starts over. */
  finish(): FinishedPack {
    if (this.#blobs.length === 0) throw new RespaldoError('internal', 'a pack without blobs cannot be finished');
    const blobs = this.#blobs;
    const header = encodeHeader(blobs, this.#headerSize - headerBase());
    this.#reserve(this.#headerSize);
    const sealedLength = this.#sealer.sealInto(header, this.#room, this.#size);
    const end = this.#size + sealedLength;
    view(this.#room).setUint32(end, sealedLength, true);
    const bytes = this.#room.subarray(0, end + LENGTH_FIELD);
    this.#reset();
    return { id: hashId(bytes), bytes, blobs };
  }

  #append(id: Id, content: Uint8Array, uncompressedLength: number): PackedBlob {
    const offset = this.#size;
    this.#reserve(content.length + SEAL_OVERHEAD);
    const length = this.#sealer.sealInto(content, this.#room, offset);
    return this.#record({ id, type: this.#type, offset, length, uncompressedLength });
  }

  #record(blob: PackedBlob): PackedBlob {
    this.#blobs.push(blob);
    this.#size += blob.length;
    this.#headerSize += entrySize(blob);
    return blob;
  }

  /**
   * Makes room for `more` bytes. The first room is that of a whole pack: what is not written to costs nothing, and
   * moving to larger room does.
   */
  #reserve(more: number): void {
    const needed = this.#size + more;
    if (needed <= this.#room.length) return;
    if (needed > MAX_UINT32) throw new RespaldoError('internal', `a pack of ${needed} bytes is too large`);
    const before = this.#room.subarray(0, this.#size);
    this.#room = this.#largeRoom(Math.max(this.#packBytes, needed) + SPARE);
    this.#room.set(before);
  }

  #largeRoom(length: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare !== undefined && spare.length >= length ? spare : newRoom(length);
  }

  #reset(): void {
    this.#room = NOWHERE;
    this.#size = 0;
    this.#headerSize = headerBase();
    this.#blobs = [];
  }
}

/** The size in the store of a pack that holds exactly these blobs. */
export function packSizeOf(blobs: Iterable<Pick<PackedBlob, 'length' | 'uncompressedLength'>>): number {
  let size = headerBase();
  for (const blob of blobs) size += blob.length + entrySize(blob);
  return size;
}

/** Bytes of header and length field before the first entry. */
export function headerBase(): number {
  return SEAL_OVERHEAD + LENGTH_FIELD;
}

/** Bytes a blob takes in its pack's header. */
export function entrySize(blob: Pick<PackedBlob, 'uncompressedLength'>): number {
  return blob.uncompressedLength === 0 ? PLAIN_ENTRY : COMPRESSED_ENTRY;
}

/**
 * Bytes that the header takes at the end of a pack, its length field included.
 * @param tail the end of the pack, at least 4 bytes
 * @throws RespaldoError `repository-damaged` for a length that cannot be
 */
export function headerSizeOf(pack: Id, tail: Uint8Array, packSize: number): number {
  if (tail.length < LENGTH_FIELD) throw damaged(pack, `is too short (${packSize} bytes)`);
  const sealed = view(tail).getUint32(tail.length - LENGTH_FIELD, true);
  const total = sealed + LENGTH_FIELD;
  if (sealed < SEAL_OVERHEAD + PLAIN_ENTRY || total > packSize || total > MAX_HEADER)
    throw damaged(pack, `claims a header of ${sealed} bytes in ${packSize}`);
  return total;
}

/**
 * The blobs that a pack's header lists.
 * @param tail the end of the pack, at least {@link headerSizeOf} bytes of it
 * @throws RespaldoError `repository-damaged` if the header is not authentic or does not fit the pack's size
 */
export function parsePackHeader(pack: Id, tail: Uint8Array, packSize: number, sealer: Sealer): PackedBlob[] {
  const total = headerSizeOf(pack, tail, packSize);
  if (total > tail.length) throw new RespaldoError('internal', `pack ${pack}: header read in part`);
  const header = openHeader(pack, tail.subarray(tail.length - total, tail.length - LENGTH_FIELD), sealer);
  const blobs: PackedBlob[] = [];
  let offset = 0;
  for (let at = 0; at < header.length;) {
    const blob = parseEntry(pack, header, at, offset);
    blobs.push(blob);
    at += entrySize(blob);
    offset += blob.length;
  }
  if (offset + total !== packSize)
    throw damaged(pack, `holds ${packSize} bytes, but its header describes ${offset + total}`);
  return blobs;
}

function openHeader(pack: Id, sealed: Uint8Array, sealer: Sealer): Uint8Array {
  try {
    return sealer.open(sealed);
  } catch (error) {
    throw damaged(pack, 'has a header that is not authentic', error);
  }
}

function parseEntry(pack: Id, header: Uint8Array, at: number, offset: number): PackedBlob {
  const flags = header[at] ?? 0;
  const compressed = (flags & COMPRESSED_FLAG) !== 0;
  const size = compressed ? COMPRESSED_ENTRY : PLAIN_ENTRY;
  if (flags > (COMPRESSED_FLAG | TREE_FLAG)) throw damaged(pack, `has an entry of the unknown type ${flags}`);
  if (at + size > header.length) throw damaged(pack, 'has a header that ends within an entry');
  const fields = view(header);
  const length = fields.getUint32(at + 1, true);
  const uncompressedLength = compressed ? fields.getUint32(at + 5, true) : 0;
  if (length < SEAL_OVERHEAD) throw damaged(pack, `has a blob of ${length} bytes, less than any sealed one`);
  if (compressed && uncompressedLength === 0) throw damaged(pack, 'has a compressed blob without a length');
  const type = (flags & TREE_FLAG) === 0 ? 'data' : 'tree';
  return { id: readId(header, at + size - 32), type, offset, length, uncompressedLength };
}

function encodeHeader(blobs: readonly PackedBlob[], size: number): Uint8Array {
  const header = Buffer.alloc(size);
  const fields = view(header);
  let at = 0;
  for (const blob of blobs) {
    const compressed = blob.uncompressedLength !== 0;
    header[at] = (blob.type === 'tree' ? TREE_FLAG : 0) | (compressed ? COMPRESSED_FLAG : 0);
    fields.setUint32(at + 1, blob.length, true);
    if (compressed) fields.setUint32(at + 5, blob.uncompressedLength, true);
    at += entrySize(blob);
    writeId(blob.id, header, at - 32);
  }
  return header;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(pack: Id, what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `pack ${pack} ${what}`, {
    hint: 'Run `respaldo check --read-data` to learn what else is damaged.',
    context: { pack },
    ...(cause === undefined ? {} : { cause }),
  });
}
