import { cPath, nativeCalls, systemError } from './native.ts';
import type { LocalPath } from './path.ts';

const KINDS = { fifo: 0o010000, chardev: 0o020000, dev: 0o060000 } as const;

/** Whether this system can make fifos and devices for us. */
export function canMakeSpecial(): boolean {
  return nativeCalls() !== undefined;
}

/**
 * Makes a fifo, character or block device, readable and writable by its owner alone. `device`: Linux's device number.
 * @throws a system error with `code`: `EPERM` for a device without the privilege, `EEXIST`.
 */
export function makeSpecial(path: LocalPath, kind: keyof typeof KINDS, device: bigint): void {
  const native = nativeCalls();
  if (native === undefined) throw Object.assign(new Error(`cannot make a ${kind} here`), { code: 'ENOTSUP' });
  if (native.mknod(cPath(path), KINDS[kind] | 0o600, device) !== 0) throw systemError(native, 'mknod', path);
}
