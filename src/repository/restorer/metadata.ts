import { chmodSync, fchmodSync, fchownSync, lchownSync, lstatSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { writeAttributes } from '../filesystem/attributes.ts';
import type { Entry } from '../filesystem/native.ts';
import type { LocalPath } from '../filesystem/path.ts';
import { setTimes } from '../filesystem/times.ts';
import { type ExtendedAttribute, type Node, permissionBits } from '../format/node.ts';
import { parseTime } from '../format/time.ts';
import { isFatal } from './target-error.ts';

/** What is set on an entry once its content is there. */
export interface Metadata {
  /** 0o0000 … 0o7777. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970, within 64 bits. */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly attributes: readonly ExtendedAttribute[];
}

/** To `chown`: leave it as it is. No user or group has this number. */
const NO_OWNER = 0xffff_ffff;
const EARLIEST = -(2n ** 63n);
const LATEST = 2n ** 63n - 1n;

export function metadataOf(node: Node): Metadata {
  const mtimeNs = timeOf(node.mtime);
  return {
    permissions: permissionBits(node.mode),
    uid: Math.min(node.uid, NO_OWNER),
    gid: Math.min(node.gid, NO_OWNER),
    mtimeNs,
    atimeNs: node.atime === node.mtime ? mtimeNs : timeOf(node.atime),
    attributes: node.extendedAttributes ?? [],
  };
}

function timeOf(text: string | undefined): bigint {
  const ns = text === undefined ? 0n : parseTime(text);
  return ns < EARLIEST ? EARLIEST : ns > LATEST ? LATEST : ns;
}

/** Sets the metadata of an open file. @returns what could not be set, in words */
export function applyToFile(fd: number, metadata: Metadata, owners: boolean): string[] {
  return apply(fd, metadata, {
    chown: owners ? () => fchownSync(fd, metadata.uid, metadata.gid) : undefined,
    chmod: () => fchmodSync(fd, metadata.permissions),
  });
}

/** Sets the metadata of anything else; a symlink's own, never its target's. @returns what could not be set, in words */
export function applyToPath(path: LocalPath, metadata: Metadata, owners: boolean): string[] {
  return apply(path, metadata, {
    chown: owners ? () => lchownSync(path, metadata.uid, metadata.gid) : undefined,
    chmod: lstatSync(path).isSymbolicLink() ? undefined : () => chmodSync(path, metadata.permissions),
  });
}

interface Steps {
  readonly chown: (() => void) | undefined;
  readonly chmod: (() => void) | undefined;
}

/**
 * The order matters: a change of owner clears set-uid and file capabilities (an attribute), a read-only file takes no
 * attributes, and everything but the times changes no times.
 */
function apply(entry: Entry, metadata: Metadata, { chown, chmod }: Steps): string[] {
  const problems: string[] = [];
  attempt('owner', chown, problems);
  attempt('extended attributes', () => writeAttributes(entry, metadata.attributes), problems);
  attempt('mode', chmod, problems);
  attempt('times', () => setTimes(entry, metadata.atimeNs, metadata.mtimeNs), problems);
  return problems;
}

function attempt(what: string, step: (() => void) | undefined, problems: string[]): void {
  try {
    step?.();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || isFatal(errno)) throw error;
    // Who is not root cannot set everything, and knows it.
    if ((errno === 'EPERM' || errno === 'EACCES') && process.geteuid?.() !== 0) return;
    problems.push(`${what}: ${error instanceof Error ? error.message : errno}`);
  }
}
