/** Trees: what a directory holds, as a JSON object whose bytes decide its id. */
import { RespaldoError } from '../../errors.ts';
import { isId, type Id } from './id.ts';
import { decodeLinkTarget, isNodeType, type ExtendedAttribute, type Node } from './node.ts';
import { release } from '../workers/release.ts';
import { goUnquote } from './quote.ts';
import { isTime } from './time.ts';

const HEAD = Buffer.from('{"nodes":[');
const TAIL = Buffer.from(']}\n');
/** Nodes that are put together at a time, so that no string comes near the longest that there can be. */
const BATCH = 10_000;
/** Levels of what we only carry along: fields that are new to us, and those of other systems. */
const MAX_DEPTH = 100;

/** The tree of nodes that are already encoded and sorted by the bytes of their names. */
export function encodeTree(nodes: readonly string[]): Uint8Array {
  const pieces = [HEAD];
  for (let at = 0; at < nodes.length; at += BATCH) {
    pieces.push(Buffer.from((at > 0 ? ',' : '') + nodes.slice(at, at + BATCH).join(',')));
  }
  pieces.push(TAIL);
  return Buffer.concat(pieces);
}

/** The tree of runs of encoded nodes, each run joined by commas. The runs' memory is given back on the way. */
export function joinTree(runs: readonly Uint8Array[]): Uint8Array {
  const filled = runs.filter((run) => run.length > 0);
  const length = filled.reduce((sum, run) => sum + run.length + 1, 0);
  const tree = Buffer.allocUnsafeSlow(HEAD.length + Math.max(0, length - 1) + TAIL.length);
  let at = HEAD.copy(tree);
  for (const [n, run] of filled.entries()) {
    if (n > 0) at += tree.write(',', at);
    tree.set(run, at);
    at += run.length;
    if (run.byteLength === run.buffer.byteLength) release(run);
  }
  TAIL.copy(tree, at);
  return tree;
}

/**
 * The nodes of a tree, in stored order. Names are single path components and differ from each other.
 * @throws RespaldoError `repository-damaged` for anything else.
 */
export function parseTree(bytes: Uint8Array): Node[] {
  const rawNodes = parseJson(bytes);
  const names = new Set<string>();
  return rawNodes.map((raw, i) => {
    try {
      const node = parseNode(raw);
      if (names.has(node.name)) throw new RangeError('its name occurs twice');
      names.add(node.name);
      return node;
    } catch (cause) {
      if (cause instanceof RangeError) throw damaged(`entry ${String(i)}${nameOf(raw)}: ${cause.message}`, cause);
      throw cause;
    }
  });
}

/** Integers that a JavaScript number may not hold exactly; always keys, for a quotation mark in a string is escaped. */
const longIntegers = /([{,]\s*"(?:inode|device_id|device)"\s*:\s*)(\d{16,})/g;

function parseJson(bytes: Uint8Array): unknown[] {
  let tree: unknown;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    tree = JSON.parse(text.replace(longIntegers, '$1"$2"'));
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
  const nodes = isRecord(tree) ? tree['nodes'] : undefined;
  if (nodes === null) return [];
  if (!Array.isArray(nodes)) throw damaged('it holds no list of nodes');
  return nodes;
}

type Draft = { -readonly [K in keyof Node]: Node[K] };

/** @throws RangeError that says what is wrong. */
function parseNode(raw: unknown): Node {
  if (!isRecord(raw)) throw new RangeError('it is not an object');
  const node: Draft = { name: '', type: 'file', mode: 0, uid: 0, gid: 0, size: 0 };
  if (!('type' in raw)) throw new RangeError('it has no type');
  const unknown: [string, unknown][] = [];
  for (const field of Object.keys(raw)) {
    const read = fields.get(field);
    if (read === undefined) unknown.push([field, shallow(raw[field], field)]);
    else read(node, raw[field], field);
  }
  if (unknown.length > 0) node.unknown = Object.fromEntries(unknown);
  if (node.name === '') throw new RangeError('it has no name');
  return node;
}

type FieldReader = (node: Draft, value: unknown, field: string) => void;

/** How each field that restic writes is read. */
const fields: ReadonlyMap<string, FieldReader> = new Map<string, FieldReader>([
  ['name', (node, value, field) => (node.name = parseName(text(value, field)))],
  ['type', (node, value) => (node.type = parseType(value))],
  ['mode', (node, value, field) => (node.mode = integer(value, field))],
  ['mtime', (node, value, field) => (node.mtime = time(value, field))],
  ['atime', (node, value, field) => (node.atime = time(value, field))],
  ['ctime', (node, value, field) => (node.ctime = time(value, field))],
  ['uid', (node, value, field) => (node.uid = integer(value, field))],
  ['gid', (node, value, field) => (node.gid = integer(value, field))],
  ['user', (node, value, field) => (node.user = text(value, field))],
  ['group', (node, value, field) => (node.group = text(value, field))],
  ['inode', (node, value, field) => (node.inode = longInteger(value, field))],
  ['device_id', (node, value, field) => (node.deviceId = longInteger(value, field))],
  ['size', (node, value, field) => (node.size = integer(value, field))],
  ['links', (node, value, field) => (node.links = integer(value, field))],
  ['linktarget', (node, value, field) => (node.linkTarget ??= text(value, field))],
  ['linktarget_raw', (node, value, field) => (node.linkTarget = decodeLinkTarget(base64(value, field)))],
  ['extended_attributes', (node, value, field) => (node.extendedAttributes = list(value, field).map(parseAttribute))],
  ['generic_attributes', (node, value, field) => (node.genericAttributes = record(shallow(value, field), field))],
  ['device', (node, value, field) => (node.device = longInteger(value, field))],
  ['content', readContent],
  ['subtree', readSubtree],
  ['error', (node, value, field) => (node.error = text(value, field))],
]);

function readContent(node: Draft, value: unknown, field: string): void {
  if (value !== null) node.content = list(value, field).map((id) => parseId(id, field));
}

function readSubtree(node: Draft, value: unknown, field: string): void {
  if (value !== null) node.subtree = parseId(value, field);
}

function parseName(quoted: string): string {
  const name = goUnquote(quoted);
  const isComponent = name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
  if (!isComponent) throw new RangeError('its name cannot be that of a file');
  return name;
}

function parseType(value: unknown): Node['type'] {
  if (!isNodeType(value))
    throw new RangeError(`its type is unknown${typeof value === 'string' ? `: ${JSON.stringify(value)}` : ''}`);
  return value;
}

function parseAttribute(value: unknown): ExtendedAttribute {
  const attribute = record(value, 'extended_attributes');
  const bytes = attribute['value'];
  return { name: text(attribute['name'], 'name'), value: bytes === null ? '' : base64(bytes, 'value') };
}

function parseId(value: unknown, field: string): Id {
  if (typeof value !== 'string' || !isId(value)) throw wrong(field, 'ids');
  return value;
}

/** Well-formed: what JSON's `\ud800` leaves alone is replaced, as Go's decoder does. */
function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw wrong(field, 'text');
  return value.toWellFormed();
}

function time(value: unknown, field: string): string {
  if (typeof value !== 'string' || !isTime(value)) throw wrong(field, 'an RFC 3339 time');
  return value;
}

const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;

function base64(value: unknown, field: string): string {
  if (typeof value !== 'string' || value.length % 4 !== 0 || !base64Text.test(value)) throw wrong(field, 'base64');
  return value;
}

function integer(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(field, 'a natural number');
  return value as number;
}

const digits = /^\d{16,20}$/;

/** Of 64 bits; {@link parseJson} leaves long ones as text. */
function longInteger(value: unknown, field: string): bigint {
  if (typeof value === 'string' && digits.test(value)) {
    const long = BigInt(value);
    if (long < 1n << 64n) return long;
  }
  return BigInt(integer(value, field));
}

function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(field, 'a list');
  return value;
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (!isRecord(value)) throw wrong(field, 'an object');
  return value;
}

/** Such values are written again and sent to threads, which no stack survives if they are nested without end. */
function shallow(value: unknown, field: string, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) throw wrong(field, `less than ${String(MAX_DEPTH)} levels`);
  for (const inner of Object.values(value)) shallow(inner, field, depth + 1);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(field: string, expected: string): RangeError {
  return new RangeError(`its \`${field}\` does not hold ${expected}`);
}

function nameOf(raw: unknown): string {
  const name = isRecord(raw) ? raw['name'] : undefined;
  return typeof name === 'string' ? ` (${JSON.stringify(name)})` : '';
}

function damaged(why: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `a stored tree is damaged: ${why}`, {
    hint: 'Run `respaldo check --read-data` to see everything that is affected.',
    cause,
  });
}
