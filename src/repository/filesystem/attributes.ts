/** Extended attributes, of the entry itself: symlinks are not followed. File systems without them hold none. */
import { decodeName, encodeName } from '../../domain/name.ts';
import { cPath, type Entry, nativeCalls, systemError, type NativeCalls } from './native.ts';
import type { LocalPath } from './path.ts';

/** As restic's nodes hold them: the value in base64. */
export interface ExtendedAttribute {
  readonly name: string;
  readonly value: string;
}

/** What the kernel allows for a list of names and for a value. */
const LARGEST = 65536;
/** Says "not here": the file system, or the entry, knows no (such) attribute. */
const ABSENT = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENODATA', 'ENOATTR']);

let small = new Uint8Array(1024);

/**
 * The entry's attributes in the kernel's order; none where they are not supported.
 * @throws a system error with `code`, where they may not be read.
 */
export function readAttributes(path: LocalPath): ExtendedAttribute[] {
  const native = nativeCalls();
  if (native === undefined) return [];
  const target = cPath(path);
  const attributes: ExtendedAttribute[] = [];
  for (const name of names(native, path)) {
    const value = fill('lgetxattr', native, path, (buffer) =>
      native.lgetxattr(target, cName(name), buffer, buffer.length),
    );
    if (value !== undefined) attributes.push({ name, value: Buffer.from(value).toString('base64') });
  }
  return attributes;
}

/**
 * Makes the entry's attributes exactly these. One that the file system does not support is skipped.
 * @throws a system error with `code` for the first that could not be set; the others are set all the same.
 */
export function writeAttributes(entry: Entry, attributes: readonly ExtendedAttribute[]): void {
  const native = nativeCalls();
  if (native === undefined) return;
  removeOthers(native, entry, attributes);
  let failure: Error | undefined;
  for (const { name, value } of attributes) {
    if (set(native, entry, name, Buffer.from(value, 'base64')) === 0) continue;
    const error = systemError(native, `setxattr ${name}`, entry);
    if (!ABSENT.has(error.code ?? '')) failure ??= error;
  }
  if (failure !== undefined) throw failure;
}

/** What stays against our will (a security label that the system gives to every file) is the system's own. */
function removeOthers(native: NativeCalls, entry: Entry, wanted: readonly ExtendedAttribute[]): void {
  for (const name of names(native, entry))
    if (!wanted.some((attribute) => attribute.name === name)) remove(native, entry, name);
}

function set(native: NativeCalls, entry: Entry, name: string, value: Uint8Array): number {
  return typeof entry === 'number'
    ? native.fsetxattr(entry, cName(name), value, value.length, 0)
    : native.lsetxattr(cPath(entry), cName(name), value, value.length, 0);
}

function remove(native: NativeCalls, entry: Entry, name: string): void {
  if (typeof entry === 'number') native.fremovexattr(entry, cName(name));
  else native.lremovexattr(cPath(entry), cName(name));
}

function names(native: NativeCalls, entry: Entry): string[] {
  const list = fill('listxattr', native, entry, (buffer) =>
    typeof entry === 'number'
      ? native.flistxattr(entry, buffer, buffer.length)
      : native.llistxattr(cPath(entry), buffer, buffer.length),
  );
  if (list === undefined || list.length === 0) return [];
  const found: string[] = [];
  for (let start = 0; start < list.length;) {
    const end = list.indexOf(0, start);
    found.push(decodeName(list.subarray(start, end)));
    start = end + 1;
  }
  return found;
}

/** Bytes that a call writes into a buffer: first a small one, then, if it does not suffice, the largest there can be. */
function fill(
  call: string,
  native: NativeCalls,
  entry: Entry,
  read: (buffer: Uint8Array) => number,
): Uint8Array | undefined {
  let length = read(small);
  if (length < 0 && small.length < LARGEST) {
    const error = systemError(native, call, entry);
    if (error.code === 'ERANGE') {
      small = new Uint8Array(LARGEST);
      length = read(small);
    }
  }
  if (length >= 0) return small.subarray(0, length);
  const error = systemError(native, call, entry);
  if (ABSENT.has(error.code ?? '')) return undefined;
  throw error;
}

function cName(name: string): string | Buffer {
  return cPath(name.isWellFormed() ? name : Buffer.from(encodeName(name)));
}
