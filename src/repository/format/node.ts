/** One entry of a tree, and the JSON that restic writes for it: Go's field order, escaping and omissions. */
import { decodeName, encodeName, isText } from '../../domain/name.ts';
import type { Id } from './id.ts';
import { goJsonString, goQuote } from './quote.ts';

export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';

export interface ExtendedAttribute {
  readonly name: string;
  /** Base64. */
  readonly value: string;
}

export interface Node {
  /** In the string form of `domain/name.ts`. */
  readonly name: string;
  readonly type: NodeType;
  /** Go's mode bits: see {@link goMode}. */
  readonly mode: number;
  /** RFC 3339, as stored. */
  readonly mtime?: string;
  readonly atime?: string;
  readonly ctime?: string;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode?: bigint;
  readonly deviceId?: bigint;
  /** Bytes of a file's content; 0 for everything else. */
  readonly size: number;
  readonly links?: number;
  /** In the string form of `domain/name.ts`. */
  readonly linkTarget?: string;
  /** Of a device file: `stat.st_rdev`. */
  readonly device?: bigint;
  readonly extendedAttributes?: readonly ExtendedAttribute[];
  /** What restic keeps of other systems' files (Windows), as parsed. */
  readonly genericAttributes?: Readonly<Record<string, unknown>>;
  /** Blobs of a file, in order; empty for an empty file, absent for everything else. */
  readonly content?: readonly Id[];
  readonly subtree?: Id;
  /** Why the entry was not stored whole. */
  readonly error?: string;
  /** Fields that we do not know, as parsed. */
  readonly unknown?: Readonly<Record<string, unknown>>;
}

/** Go's zero time: what an absent time is written as. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** The node's JSON. Absent and zero values are left out as restic does. */
export function encodeNode(node: Node): string {
  return (
    encodeNodeHead(node) +
    `,"content":${node.content ? encodeIds(node.content) : 'null'}` +
    (node.subtree === undefined ? '' : `,"subtree":"${node.subtree}"`) +
    (node.error ? `,"error":${goJsonString(node.error)}` : '') +
    encodeUnknown(node.unknown) +
    '}'
  );
}

/** Everything before `content`, without a closing brace: what is known before a file has been read. */
function encodeNodeHead(node: Node): string {
  return (
    `{"name":${goJsonString(goQuote(node.name))},"type":"${node.type}"` +
    encodeNumber('mode', node.mode) +
    `,"mtime":"${node.mtime ?? NO_TIME}","atime":"${node.atime ?? NO_TIME}","ctime":"${node.ctime ?? NO_TIME}"` +
    `,"uid":${String(node.uid)},"gid":${String(node.gid)}` +
    encodeString('user', node.user) +
    encodeString('group', node.group) +
    encodeNumber('inode', node.inode) +
    encodeNumber('device_id', node.deviceId) +
    encodeNumber('size', node.size) +
    encodeNumber('links', node.links) +
    (node.linkTarget ? encodeLinkTarget(node.linkTarget) : '') +
    (node.extendedAttributes?.length ? encodeAttributes(node.extendedAttributes) : '') +
    (node.genericAttributes ? `,"generic_attributes":${encodeRaw(node.genericAttributes)}` : '') +
    encodeNumber('device', node.device)
  );
}

function encodeNumber(name: string, value: number | bigint | undefined): string {
  return value ? `,"${name}":${String(value)}` : '';
}

function encodeString(name: string, value: string | undefined): string {
  return value ? `,"${name}":${goJsonString(value)}` : '';
}

function encodeIds(ids: readonly Id[]): string {
  return ids.length === 0 ? '[]' : `["${ids.join('","')}"]`;
}

/** A target that is not UTF-8 is written twice: readably, and as bytes that win when it is read. */
function encodeLinkTarget(target: string): string {
  const readable = encodeString('linktarget', target);
  return isText(target) ? readable : `${readable},"linktarget_raw":"${encodeBase64(encodeName(target))}"`;
}

function encodeAttributes(attributes: readonly ExtendedAttribute[]): string {
  const items = attributes.map(({ name, value }) => `{"name":${goJsonString(name)},"value":"${value}"}`);
  return `,"extended_attributes":[${items.join(',')}]`;
}

function encodeUnknown(fields: Readonly<Record<string, unknown>> | undefined): string {
  if (fields === undefined) return '';
  return Object.entries(fields)
    .map(([name, value]) => `,${goJsonString(name)}:${encodeRaw(value)}`)
    .join('');
}

const htmlUnsafe = /[<>&\u2028\u2029]/g;

function encodeRaw(value: unknown): string {
  return JSON.stringify(value).replace(htmlUnsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A link target's string from its bytes in base64. */
export function decodeLinkTarget(base64: string): string {
  return decodeName(Buffer.from(base64, 'base64'));
}

const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  dev: 2 ** 26,
  chardev: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  irregular: 2 ** 19,
};

export function isNodeType(value: unknown): value is NodeType {
  return typeof value === 'string' && Object.hasOwn(TYPE_BITS, value);
}

const GO_SETUID = 2 ** 23;
const GO_SETGID = 2 ** 22;
const GO_STICKY = 2 ** 20;

/** Go's `os.FileMode` of a type and Unix permission bits (0o0000 … 0o7777). */
export function goMode(type: NodeType, permissions: number): number {
  return (
    TYPE_BITS[type] +
    (permissions & 0o777) +
    (permissions & 0o4000 ? GO_SETUID : 0) +
    (permissions & 0o2000 ? GO_SETGID : 0) +
    (permissions & 0o1000 ? GO_STICKY : 0)
  );
}

/** The Unix permission bits of a Go mode, with set-uid, set-gid and sticky. */
export function permissionBits(mode: number): number {
  return (
    (mode & 0o777) | (mode & GO_SETUID ? 0o4000 : 0) | (mode & GO_SETGID ? 0o2000 : 0) | (mode & GO_STICKY ? 0o1000 : 0)
  );
}
