import type { OverwritePolicy } from '../repository.ts';

/** Whether what exists gives way to the snapshot's entry, whose time of modification is given. */
export function givesWay(
  policy: OverwritePolicy | undefined,
  existing: { readonly mtimeNs: bigint },
  mtimeNs: bigint,
): boolean {
  switch (policy) {
    case 'never':
      return false;
    case 'if-newer':
      return mtimeNs > existing.mtimeNs;
    case 'always':
    case 'if-changed':
    case undefined:
      return true;
  }
}

/** What is told of a file without reading it. `links`: how many names it has, or may have. */
export interface Wanted {
  readonly mtimeNs: bigint;
  readonly size: number;
  readonly links: number;
}

/** Whether a regular file is taken for right without reading it. */
export function isTrusted(
  policy: OverwritePolicy | undefined,
  existing: { readonly mtimeNs: bigint; readonly size: bigint; readonly nlink: bigint },
  wanted: Wanted,
): boolean {
  if (policy !== 'if-changed' || existing.nlink > BigInt(wanted.links)) return false;
  return existing.mtimeNs === wanted.mtimeNs && existing.size === BigInt(wanted.size);
}
