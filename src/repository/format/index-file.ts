import { RespaldoError } from '../../errors.ts';
import { SEAL_OVERHEAD } from './crypto.ts';
import { type Id, isId } from './id.ts';
import type { PackedBlob } from './pack.ts';

/** An index file is written once it lists this many blobs. */
export const INDEX_BLOBS = 50_000;

export interface IndexedPack {
  readonly id: Id;
  readonly blobs: readonly PackedBlob[];
}

export interface IndexFile {
  /** Index files that this one replaces. Nobody writes it any more. */
  readonly supersedes: readonly Id[];
  readonly packs: readonly IndexedPack[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const HEAD = Buffer.from('{"packs":[');
const COMMA = Buffer.from(',');
const TAIL = Buffer.from(']}\n');

/** The JSON of an index file, in restic's order of fields. */
export function encodeIndex(packs: Iterable<IndexedPack>): Uint8Array {
  return joinIndex(Array.from(packs, encodeIndexedPack));
}

/** One pack's part of an index file. */
export function encodeIndexedPack({ id, blobs }: IndexedPack): Uint8Array {
  return encoder.encode(`{"id":"${id}","blobs":[${blobs.map(encodeBlob).join(',')}]}`);
}

/** The index file of packs that are already encoded. */
export function joinIndex(packs: readonly Uint8Array[]): Uint8Array {
  const pieces = packs.flatMap((pack, n) => (n === 0 ? [pack] : [COMMA, pack]));
  return Buffer.concat([HEAD, ...pieces, TAIL]);
}

/**
 * @param json one index file, opened and decompressed
 * @throws RespaldoError `repository-damaged`; the caller knows which file it is and says so
 */
export function parseIndex(json: Uint8Array): IndexFile {
  const file = parseObject(json);
  const packs = file.packs ?? [];
  if (!Array.isArray(packs)) throw damaged('"packs" is not a list');
  const supersedes = file.supersedes ?? [];
  if (!Array.isArray(supersedes) || !supersedes.every(isIdValue)) throw damaged('"supersedes" is not a list of ids');
  return { supersedes, packs: packs.map(parsePack) };
}

function encodeBlob(blob: PackedBlob): string {
  const plain = blob.uncompressedLength;
  const compressed = plain === 0 ? '' : `,"uncompressed_length":${plain}`;
  return `{"id":"${blob.id}","type":"${blob.type}","offset":${blob.offset},"length":${blob.length}${compressed}}`;
}

/** Fields as they come, before they are checked one by one: a schema library is too slow for a million blobs. */
type Fields = Readonly<Record<string, unknown>>;

function parseObject(json: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(json));
  } catch (error) {
    throw damaged('not JSON', error);
  }
  return fieldsOf(value, 'the file');
}

function parsePack(value: unknown): IndexedPack {
  const { id, blobs } = fieldsOf(value, 'a pack');
  if (!isIdValue(id)) throw damaged('a pack without a valid id');
  if (!Array.isArray(blobs)) throw damaged(`pack ${id} has no list of blobs`);
  return { id, blobs: blobs.map(parseBlob) };
}

function parseBlob(value: unknown): PackedBlob {
  const { id, type, offset, length, uncompressed_length: uncompressedLength = 0 } = fieldsOf(value, 'a blob');
  if (!isIdValue(id)) throw damaged('a blob without a valid id');
  if (type !== 'data' && type !== 'tree') throw damaged(`blob ${id} has an unknown type`);
  if (!isSize(offset) || !isSize(length) || length < SEAL_OVERHEAD || !isSize(uncompressedLength))
    throw damaged(`blob ${id} has an impossible offset or length`);
  return { id, type, offset, length, uncompressedLength };
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(`${what} is not an object`);
  return value as Fields;
}

function isIdValue(value: unknown): value is Id {
  return typeof value === 'string' && isId(value);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 0xffff_ffff && Number.isInteger(value);
}

function damaged(what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `invalid index: ${what}`, cause === undefined ? {} : { cause });
}
