/** What a worker is told to write: the blobs of a part of one pack, and the files that they go to. */
import { encodeName, isText } from '../../domain/name.ts';
import type { LocalPath } from '../filesystem/path.ts';
import type { PackedBlob } from '../format/pack.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { Metadata } from './metadata.ts';

export interface FileOrder {
  /** Where the bytes are written. */
  readonly path: LocalPath;
  /** How many writes there are to this file. */
  readonly pieces: number;
  /** What is not written reads as zeros: zeros need not be. */
  readonly sparse: boolean;
  /** The file is all here: it is created, written and finished. Otherwise it exists, and others write to it as well. */
  readonly whole?: WholeFile;
}

export interface WholeFile {
  readonly metadata: Metadata;
  /** The name that the file gets once it is finished. */
  readonly rename?: LocalPath;
}

export interface BlobOrder {
  readonly blob: PackedBlob;
  /** Number of the file among the orders, and the offset in it. */
  readonly targets: readonly (readonly [file: number, at: number])[];
}

export interface Orders {
  readonly files: readonly FileOrder[];
  /** By their offset in the pack. */
  readonly blobs: readonly BlobOrder[];
}

/** As {@link Orders}, with paths in the string form of `domain/name.ts`. */
export interface OrdersToEncode {
  readonly files: readonly {
    readonly path: string;
    readonly pieces: number;
    readonly sparse: boolean;
    readonly whole?: { readonly metadata: Metadata; readonly rename?: string };
  }[];
  readonly blobs: readonly BlobOrder[];
}

export function encodeOrders({ files, blobs }: OrdersToEncode): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.uint(files.length);
  for (const { path, pieces, sparse, whole } of files) {
    writePath(writer, path);
    writer.uint(pieces);
    writer.uint(sparse ? 1 : 0);
    writer.uint(whole === undefined ? 0 : 1);
    if (whole === undefined) continue;
    writePath(writer, whole.rename ?? '');
    writeMetadata(writer, whole.metadata);
  }
  writer.uint(blobs.length);
  for (const { blob, targets } of blobs) writeBlob(writer, blob, targets);
  return writer.finish();
}

export function decodeOrders(bytes: Uint8Array): Orders {
  const reader = new ByteReader(bytes);
  const files = Array.from({ length: reader.uint() }, () => readFile(reader));
  const blobs = Array.from({ length: reader.uint() }, () => readBlob(reader));
  return { files, blobs };
}

/** Text goes as text, which both ends handle fastest; a first word of 1 marks it. */
function writePath(writer: ByteWriter, path: string): void {
  const text = isText(path);
  writer.uint(text ? 1 : 0);
  if (text) writer.text(path);
  else writer.bytes(encodeName(path));
}

function readPath(reader: ByteReader): LocalPath {
  return reader.uint() === 1 ? reader.text() : Buffer.from(reader.bytes());
}

function readFile(reader: ByteReader): FileOrder {
  const path = readPath(reader);
  const pieces = reader.uint();
  const sparse = reader.uint() === 1;
  if (reader.uint() === 0) return { path, pieces, sparse };
  const rename = readPath(reader);
  const metadata = readMetadata(reader);
  return { path, pieces, sparse, whole: rename === '' ? { metadata } : { metadata, rename } };
}

function writeMetadata(writer: ByteWriter, metadata: Metadata): void {
  writer.uint(metadata.permissions);
  writer.uint(metadata.uid);
  writer.uint(metadata.gid);
  writer.bigint(metadata.atimeNs);
  writer.bigint(metadata.mtimeNs);
  writer.uint(metadata.attributes.length);
  for (const { name, value } of metadata.attributes) {
    writer.text(name);
    writer.text(value);
  }
}

function readMetadata(reader: ByteReader): Metadata {
  return {
    permissions: reader.uint(),
    uid: reader.uint(),
    gid: reader.uint(),
    atimeNs: reader.bigint(),
    mtimeNs: reader.bigint(),
    attributes: Array.from({ length: reader.uint() }, () => ({
      name: reader.text(),
      value: reader.text(),
    })),
  };
}

function writeBlob(writer: ByteWriter, blob: PackedBlob, targets: BlobOrder['targets']): void {
  writer.id(blob.id);
  writer.uint(blob.offset);
  writer.uint(blob.length);
  writer.uint(blob.uncompressedLength);
  writer.uint(targets.length);
  for (const [file, at] of targets) {
    writer.uint(file);
    writer.long(at);
  }
}

function readBlob(reader: ByteReader): BlobOrder {
  const blob: PackedBlob = {
    id: reader.id(),
    type: 'data',
    offset: reader.uint(),
    length: reader.uint(),
    uncompressedLength: reader.uint(),
  };
  const targets = Array.from({ length: reader.uint() }, () => [reader.uint(), reader.long()] as const);
  return { blob, targets };
}
