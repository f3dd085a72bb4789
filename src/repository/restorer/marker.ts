/** The small file that says: this folder is being restored, and from what. It is removed when all of it is there. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { errnoOf } from '../../errors.ts';
import { syncPath } from '../filesystem/durable.ts';
import { fsPath, type LocalPath } from '../filesystem/path.ts';
import type { RestoreSelection } from '../repository.ts';
import { isRunning, ownIdentity } from '../storage/process.ts';
import { removeFile } from './spread-file.ts';

const NAME = '.respaldo-restore';
const DRAFT = '.new-';
/** How file systems that know no hard links (of memory sticks) refuse one. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Which restore it is: another one may not go on in its place. */
export interface Undertaking extends RestoreSelection {
  readonly snapshot: string;
  /** The folder of the snapshot that lands in the target. */
  readonly path: string;
}

const schema = z.object({
  snapshot: z.string(),
  path: z.string(),
  include: z.array(z.string()),
  exclude: z.array(z.string()),
  iinclude: z.array(z.string()).default([]),
  iexclude: z.array(z.string()).default([]),
  pid: z.number().int(),
  process: z.object({ boot: z.string(), namespace: z.string(), started: z.string() }).optional(),
});

export type Marker = z.infer<typeof schema>;

/** The marker's name in the target: one that the restored folder does not hold itself. */
export function markerName(nodes: Iterable<{ readonly name: string }>): string {
  const taken = new Set<string>();
  for (const node of nodes) if (node.name.startsWith(NAME)) taken.add(node.name);
  let name = NAME;
  for (let number = 1; taken.has(name); number++) name = `${NAME}.${number}`;
  return name;
}

/**
 * Puts the marker into the folder, durably: whole, or not at all.
 * @param replaces whether there is an earlier one, whose restore goes on
 * @returns false if another restore has put its own there meanwhile
 */
export function writeMarker(folder: string, name: string, undertaking: Undertaking, replaces: boolean): boolean {
  const draft = fsPath(`${folder}/${name}${DRAFT}${process.pid}`);
  const marker = fsPath(`${folder}/${name}`);
  removeFile(draft);
  writeDurably(draft, `${JSON.stringify(describe(undertaking))}\n`);
  try {
    if (replaces) renameSync(draft, marker);
    else linkSync(draft, marker);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (!WITHOUT_LINKS.has(errnoOf(error) ?? '')) throw error;
    renameSync(draft, marker);
  } finally {
    removeFile(draft);
  }
  syncPath(fsPath(folder));
  return true;
}

/** What a restore leaves that is killed before it has put its marker, and anything else, into the folder. */
export function isDraft(name: string, marker: string): boolean {
  return name.startsWith(marker + DRAFT);
}

function describe({ snapshot, path, include, exclude, iinclude = [], iexclude = [] }: Undertaking): Marker {
  const identity = ownIdentity();
  return {
    snapshot,
    path,
    include: [...include],
    exclude: [...exclude],
    iinclude: [...iinclude],
    iexclude: [...iexclude],
    pid: process.pid,
    ...(identity === undefined ? {} : { process: identity }),
  };
}

function writeDurably(path: LocalPath, text: string): void {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The folder's marker; undefined if there is none, or one that we did not write. */
export function readMarker(folder: string, name: string): Marker | undefined {
  let fd: number;
  try {
    fd = openSync(fsPath(`${folder}/${name}`), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { uid } = fstatSync(fd);
    if (uid !== 0 && uid !== process.geteuid?.()) return undefined;
    return schema.parse(JSON.parse(readFileSync(fd, 'utf8')));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** Removes the marker, and what killed restores left of theirs. */
export function removeMarker(folder: string, name: string): void {
  for (const entry of readdirSync(fsPath(folder)))
    if (entry === name || isDraft(entry, name)) removeFile(fsPath(`${folder}/${entry}`));
}

export function isSameUndertaking(marker: Marker, undertaking: Undertaking): boolean {
  const essence = ({ snapshot, path, include, exclude, iinclude = [], iexclude = [] }: Undertaking): string =>
    JSON.stringify([snapshot, path, include, exclude, iinclude, iexclude]);
  return essence(marker) === essence(undertaking);
}

/** Whether the process that wrote the marker is another one that still runs. */
export function isAtWork(marker: Marker): boolean {
  if (marker.process === undefined || marker.pid === process.pid) return false;
  return isRunning(marker.pid, marker.process) === true;
}
