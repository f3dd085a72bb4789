/** What the kernel says of an entry, in plain numbers. A walk asks for it a million times: Node's own answer costs more. */
import { fstatSync, lstatSync, type BigIntStats } from 'node:fs';
import { cPath, nativeCalls, type NativeCalls } from './native.ts';
import type { LocalPath } from './path.ts';
import type { NodeType } from '../format/node.ts';
import type { Instant, Stat } from '../format/stat.ts';

const TYPE_BITS = 0o170000;
const PERMISSIONS = 0o7777;
const TYPES = new Map<number, NodeType>([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o060000, 'dev'],
  [0o020000, 'chardev'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
]);

const SECOND = 1_000_000_000n;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const BASIC_STATS = 0x7ff;

/** `struct statx`: the same on every machine. */
const answer = new ArrayBuffer(256);
const bytes = new Uint8Array(answer);
const words = new Uint32Array(answer);
const longs = new BigUint64Array(answer);
const MODE = 28 / 2;
const halves = new Uint16Array(answer);

/** Of the entry itself: symlinks are not followed. @throws a system error with `code` */
export function statPath(path: LocalPath): Stat {
  const native = nativeCalls();
  return native !== undefined && ask(native, AT_FDCWD, cPath(path), AT_SYMLINK_NOFOLLOW)
    ? answered()
    : statOf(lstatSync(path, { bigint: true }));
}

/** Of an open file. @throws a system error with `code` */
export function statOpen(fd: number): Stat {
  const native = nativeCalls();
  return native !== undefined && ask(native, fd, '', AT_EMPTY_PATH)
    ? answered()
    : statOf(fstatSync(fd, { bigint: true }));
}

/** The same, from Node's answer. */
export function statOf(stats: BigIntStats): Stat {
  return {
    type: typeOf(Number(stats.mode)),
    permissions: Number(stats.mode) & PERMISSIONS,
    links: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    inode: stats.ino,
    device: stats.dev,
    rdev: stats.rdev,
    atime: instantOf(stats.atimeNs),
    mtime: instantOf(stats.mtimeNs),
    ctime: instantOf(stats.ctimeNs),
  };
}

/** Whether two looks at a file say that nothing was written between them. */
export function isSameState(before: Stat, after: Stat): boolean {
  return (
    before.size === after.size && isSameInstant(before.mtime, after.mtime) && isSameInstant(before.ctime, after.ctime)
  );
}

export function isSameInstant(a: Instant, b: Instant): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

function instantOf(ns: bigint): Instant {
  const nanoseconds = ((ns % SECOND) + SECOND) % SECOND;
  return { seconds: Number((ns - nanoseconds) / SECOND), nanoseconds: Number(nanoseconds) };
}

/** False for any failure: the caller asks Node then, which knows how to tell of it, or does without this call. */
function ask(native: NativeCalls, fd: number, path: string | Buffer, flags: number): boolean {
  return native.statx?.(fd, path, flags, BASIC_STATS, bytes) === 0;
}

function answered(): Stat {
  return {
    type: typeOf(halves[MODE] ?? 0),
    permissions: (halves[MODE] ?? 0) & PERMISSIONS,
    links: word(16),
    uid: word(20),
    gid: word(24),
    size: word(40) + word(44) * 2 ** 32,
    inode: longs[32 / 8] ?? 0n,
    device: deviceOf(word(136), word(140)),
    rdev: deviceOf(word(128), word(132)),
    atime: instantAt(64),
    mtime: instantAt(112),
    ctime: instantAt(96),
  };
}

function typeOf(mode: number): NodeType {
  return TYPES.get(mode & TYPE_BITS) ?? 'irregular';
}

function word(at: number): number {
  return words[at >>> 2] ?? 0;
}

function instantAt(at: number): Instant {
  return { seconds: word(at) + (word(at + 4) | 0) * 2 ** 32, nanoseconds: word(at + 8) };
}

let lastDevice = { major: 0, minor: 0, number: 0n };

/** The number that `stat` gives for a device: glibc's `makedev`. */
function deviceOf(major: number, minor: number): bigint {
  if (major === 0 && minor === 0) return 0n;
  if (lastDevice.major !== major || lastDevice.minor !== minor) {
    const [high, low] = [BigInt(major), BigInt(minor)];
    const number =
      ((high & 0xffff_f000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffff_ff00n) << 12n) | (low & 0xffn);
    lastDevice = { major, minor, number };
  }
  return lastDevice.number;
}
