/** Extended attributes, of the entry itself: symlinks are not followed. File systems without them hold none. */
import { decodeName, encodeName } from '../../domain/name.ts';
import { cPath, nativeCalls, systemError, type NativeCalls } from './native.ts';
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
  for (const name of names(native, target, path)) {
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
export function writeAttributes(path: LocalPath, attributes: readonly ExtendedAttribute[]): void {
  const native = nativeCalls();
  if (native === undefined) return;
  const target = cPath(path);
  removeOthers(native, target, path, attributes);
  let failure: Error | undefined;
  for (const { name, value } of attributes) {
    const bytes = Buffer.from(value, 'base64');
    if (native.lsetxattr(target, cName(name), bytes, bytes.length, 0) === 0) continue;
    const error = systemError(native, `lsetxattr ${name}`, path);
    if (!ABSENT.has(error.code ?? '')) failure ??= error;
  }
  if (failure !== undefined) throw failure;
}

/** What stays against our will (a security label that the system gives to every file) is the system's own. */
function removeOthers(
  native: NativeCalls,
  target: string | Buffer,
  path: LocalPath,
  wanted: readonly ExtendedAttribute[],
): void {
  for (const name of names(native, target, path))
    if (!wanted.some((attribute) => attribute.name === name)) native.lremovexattr(target, cName(name));
}

function names(native: NativeCalls, target: string | Buffer, path: LocalPath): string[] {
  const list = fill('llistxattr', native, path, (buffer) => native.llistxattr(target, buffer, buffer.length));
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
  path: LocalPath,
  read: (buffer: Uint8Array) => number,
): Uint8Array | undefined {
  let length = read(small);
  if (length < 0 && small.length < LARGEST) {
    const error = systemError(native, call, path);
    if (error.code === 'ERANGE') {
      small = new Uint8Array(LARGEST);
      length = read(small);
    }
  }
  if (length >= 0) return small.subarray(0, length);
  const error = systemError(native, call, path);
  if (ABSENT.has(error.code ?? '')) return undefined;
  throw error;
}

function cName(name: string): string | Buffer {
  return cPath(name.isWellFormed() ? name : Buffer.from(encodeName(name)));
}
