import type { Metadata } from '../../domain/entry.ts';

/**
 * Of what exists nowhere as a file: ours, for nobody else. Its time is always the same, so that a dump of what has not
 * changed is the same to the last byte of its folders; when it was taken is the snapshot's to tell.
 */
export function dumpMetadata(): Metadata {
  return {
    mode: 0o600,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    mtimeNs: 0n,
    atimeNs: 0n,
    ctimeNs: 0n,
  };
}
