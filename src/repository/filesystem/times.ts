import { futimesSync, lutimesSync } from 'node:fs';
import { cPath, type Entry, nativeCalls, systemError } from './native.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const SECOND = 1_000_000_000n;

/** Two of `struct timespec`: when it was read, and when it was changed. */
const times = new BigInt64Array(4);

/**
 * Sets the times of a file, directory or symlink itself; never follows a symlink. Nanoseconds since 1970, exact;
 * where the native calls are missing, as exact as `node:fs` can (about a microsecond).
 */
export function setTimes(entry: Entry, atimeNs: bigint, mtimeNs: bigint): void {
  const native = nativeCalls();
  if (native === undefined) {
    const [atime, mtime] = [Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9];
    if (typeof entry === 'number') futimesSync(entry, atime, mtime);
    else lutimesSync(entry, atime, mtime);
    return;
  }
  putTimespec(0, atimeNs);
  putTimespec(2, mtimeNs);
  if (typeof entry === 'number') {
    if (native.futimens(entry, times) !== 0) throw systemError(native, 'futimens', entry);
  } else if (native.utimensat(AT_FDCWD, cPath(entry), times, AT_SYMLINK_NOFOLLOW) !== 0)
    throw systemError(native, 'utimensat', entry);
}

/** Seconds rounded down and nanoseconds from 0 to 999,999,999, also before 1970. */
function putTimespec(at: number, ns: bigint): void {
  const rest = ((ns % SECOND) + SECOND) % SECOND;
  times[at] = (ns - rest) / SECOND;
  times[at + 1] = rest;
}
