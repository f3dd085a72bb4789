/**
 * System calls that Node does not offer, through koffi. Only 64-bit Linux is wired up: the constants and the layout
 * of `struct timespec` below are its own. Elsewhere, or where koffi cannot load, there are none, and callers fall back.
 */
import { getSystemErrorMessage, getSystemErrorName, promisify } from 'node:util';
import type { LibraryHandle } from 'koffi';
import type { LocalPath } from './path.ts';
import { requireKoffi } from '../koffi.ts';

type CPath = string | Buffer;

/** A file or folder that is open, by its descriptor, or what lies at a path: a symlink itself, never its target. */
export type Entry = number | LocalPath;

/** Each returns what the C function returns: -1 for an error, told by {@link NativeCalls.errno}. */
export interface NativeCalls {
  utimensat(directory: number, path: CPath, times: BigInt64Array, flags: number): number;
  futimens(fd: number, times: BigInt64Array): number;
  llistxattr(path: CPath, list: Uint8Array | null, size: number): number;
  lgetxattr(path: CPath, name: CPath, value: Uint8Array | null, size: number): number;
  lsetxattr(path: CPath, name: CPath, value: Uint8Array, size: number, flags: number): number;
  lremovexattr(path: CPath, name: CPath): number;
  flistxattr(fd: number, list: Uint8Array | null, size: number): number;
  fsetxattr(fd: number, name: CPath, value: Uint8Array, size: number, flags: number): number;
  fremovexattr(fd: number, name: CPath): number;
  mknod(path: CPath, mode: number, device: bigint): number;
  syncfs(fd: number): number;
  /** The same on a thread of its own. Why it failed is lost. */
  syncfsMeanwhile(fd: number): Promise<number>;
  /** Absent before glibc 2.28. */
  statx?(directory: number, path: CPath, flags: number, mask: number, answer: Uint8Array): number;
  errno(): number;
}

const WORD_64 = new Set<string>(['x64', 'arm64', 'riscv64', 'loong64']);
let loaded: NativeCalls | null | undefined;

/** The calls, loaded on first use in each thread, or undefined where they cannot be had. */
export function nativeCalls(): NativeCalls | undefined {
  loaded ??= load();
  return loaded ?? undefined;
}

/** The path with the NUL that C wants; koffi adds it to strings itself. */
export function cPath(path: LocalPath): CPath {
  return typeof path === 'string' ? path : Buffer.concat([path, Buffer.alloc(1)]);
}

/** The last call's failure in the shape of Node's own system errors. */
export function systemError(calls: NativeCalls, call: string, entry: Entry): NodeJS.ErrnoException {
  const errno = calls.errno();
  const code = getSystemErrorName(-errno);
  const path = typeof entry === 'number' ? undefined : entry.toString();
  const where = path === undefined ? '' : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${getSystemErrorMessage(-errno)}, ${call}${where}`), {
    errno: -errno,
    code,
    syscall: call,
    ...(path !== undefined && { path }),
  });
}

function load(): NativeCalls | null {
  if (process.platform !== 'linux' || !WORD_64.has(process.arch)) return null;
  try {
    return declare(requireKoffi());
  } catch {
    return null;
  }
}

function declare(koffi: ReturnType<typeof requireKoffi>): NativeCalls {
  const libc = koffi.load(null);
  const syncfs = libc.func('int syncfs(int)');
  const calls = {
    utimensat: libc.func('int utimensat(int, const char *, const int64_t *, int)'),
    futimens: libc.func('int futimens(int, const int64_t *)'),
    llistxattr: libc.func('int64_t llistxattr(const char *, void *, uint64_t)'),
    lgetxattr: libc.func('int64_t lgetxattr(const char *, const char *, void *, uint64_t)'),
    lsetxattr: libc.func('int lsetxattr(const char *, const char *, const void *, uint64_t, int)'),
    lremovexattr: libc.func('int lremovexattr(const char *, const char *)'),
    flistxattr: libc.func('int64_t flistxattr(int, void *, uint64_t)'),
    fsetxattr: libc.func('int fsetxattr(int, const char *, const void *, uint64_t, int)'),
    fremovexattr: libc.func('int fremovexattr(int, const char *)'),
    mknod: declareMknod(libc),
    syncfs,
    syncfsMeanwhile: promisify<number, number>(syncfs.async.bind(syncfs)),
    errno: () => koffi.errno(),
  };
  const statx = declareStatx(libc);
  return statx === undefined ? calls : { ...calls, statx };
}

function declareStatx(libc: LibraryHandle): NativeCalls['statx'] | undefined {
  try {
    return libc.func('int statx(int, const char *, int, unsigned int, void *)') as NativeCalls['statx'];
  } catch {
    return undefined;
  }
}

/** Before glibc 2.33, `mknod` was no symbol of the library but an inline call of another one. */
function declareMknod(libc: LibraryHandle): NativeCalls['mknod'] {
  try {
    return libc.func('int mknod(const char *, uint32_t, uint64_t)') as NativeCalls['mknod'];
  } catch {
    const versioned = libc.func('int __xmknod(int, const char *, uint32_t, const uint64_t *)');
    return (path, mode, device) => versioned(0, path, mode, BigUint64Array.of(device)) as number;
  }
}
