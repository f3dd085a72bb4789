import { lutimesSync } from 'node:fs';
import { type LocalPath } from './path.ts';
import { cPath, nativeCalls, systemError } from './native.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const SECOND = 1_000_000_000n;

/**
 * Sets the times of a file, directory or symlink itself; never follows a symlink. Nanoseconds since 1970, exact;
 * where the native calls are missing, as exact as `node:fs` can (about a microsecond).
 */
export function setTimes(path: LocalPath, atimeNs: bigint, mtimeNs: bigint): void {
  const native = nativeCalls();
  if (native === undefined) {
    lutimesSync(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
    return;
  }
  const times = BigInt64Array.of(...timespec(atimeNs), ...timespec(mtimeNs));
  if (native.utimensat(AT_FDCWD, cPath(path), times, AT_SYMLINK_NOFOLLOW) !== 0)
    throw systemError(native, 'utimensat', path);
}

/** Seconds rounded down and nanoseconds from 0 to 999,999,999, also before 1970. */
function timespec(ns: bigint): [seconds: bigint, nanoseconds: bigint] {
  const rest = ((ns % SECOND) + SECOND) % SECOND;
  return [(ns - rest) / SECOND, rest];
}
