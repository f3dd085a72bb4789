/** The small file that says: this folder is being restored, and from what. It is removed when all of it is there. */
import { closeSync, constants, fsyncSync, fstatSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { errnoOf } from '../../errors.ts';
import { syncPath } from '../filesystem/durable.ts';
import { fsPath } from '../filesystem/path.ts';
import { isRunning, ownIdentity } from '../storage/process.ts';

const NAME = '.respaldo-restore';
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Which restore it is: another one may not go on in its place. */
export interface Undertaking {
  readonly snapshot: string;
  /** The folder of the snapshot that lands in the target. */
  readonly path: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const schema = z.object({
  snapshot: z.string(),
  path: z.string(),
  include: z.array(z.string()),
  exclude: z.array(z.string()),
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

/** Puts the marker into the folder, durably, in place of an earlier one. */
export function writeMarker(folder: string, name: string, undertaking: Undertaking): void {
  const identity = ownIdentity();
  const marker: Marker = {
    snapshot: undertaking.snapshot,
    path: undertaking.path,
    include: [...undertaking.include],
    exclude: [...undertaking.exclude],
    pid: process.pid,
    ...(identity === undefined ? {} : { process: identity }),
  };
  removeMarker(folder, name);
  const fd = openSync(fsPath(`${folder}/${name}`), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeSync(fd, `${JSON.stringify(marker)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncPath(fsPath(folder));
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

export function removeMarker(folder: string, name: string): void {
  try {
    unlinkSync(fsPath(`${folder}/${name}`));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

export function isSameUndertaking(marker: Marker, { snapshot, path, include, exclude }: Undertaking): boolean {
  return (
    JSON.stringify([marker.snapshot, marker.path, marker.include, marker.exclude]) ===
    JSON.stringify([snapshot, path, include, exclude])
  );
}

/** Whether the process that wrote the marker is another one that still runs. */
export function isAtWork(marker: Marker): boolean {
  if (marker.process === undefined || marker.pid === process.pid) return false;
  return isRunning(marker.pid, marker.process) === true;
}
