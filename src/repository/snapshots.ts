/** Which snapshots there are, and which one a user means. */
import { nameComplaint, nameTag } from '../domain/snapshot-name.ts';
import { isIncomplete, type Snapshot, type SnapshotFilter } from '../domain/snapshot.ts';
import { isError, RespaldoError } from '../errors.ts';
import type { Id } from './format/id.ts';
import { parseSnapshot } from './format/snapshot-record.ts';
import { parseTime } from './format/time.ts';
import type { Objects } from './storage/objects.ts';
import { inParallel } from './storage/parallel.ts';

const LATEST = 'latest';
/** Shorter prefixes are too easily mistyped. */
const MIN_PREFIX = 4;
const READS_AT_ONCE = 8;

type OnDamagedSnapshot = (id: Id, error: RespaldoError) => void;

/**
 * The snapshots that pass the filter, oldest first. Ids choose by themselves; the rest of the filter narrows `latest`.
 * @param onDamaged told of each that cannot be read, instead of failing; not of one that an id chooses
 */
export async function selectSnapshots(
  objects: Objects,
  filter: SnapshotFilter,
  signal: AbortSignal,
  onDamaged?: OnDamagedSnapshot,
): Promise<readonly Snapshot[]> {
  if (filter.ids === undefined || filter.ids.length === 0)
    return (await loadSnapshots(objects, signal, onDamaged)).filter((snapshot) => passes(snapshot, filter));
  const found = new Map<Id, Snapshot>();
  for (const text of filter.ids) {
    const snapshot = await findSnapshot(objects, text, filter, signal);
    found.set(snapshot.id, snapshot);
  }
  return sorted([...found.values()]);
}

/**
 * The one snapshot that `text` names.
 * @throws RespaldoError `snapshot-missing`, `usage`
 */
export async function findSnapshot(
  objects: Objects,
  text: string,
  filter: SnapshotFilter,
  signal: AbortSignal,
): Promise<Snapshot> {
  if (text === LATEST) return latestOf(await loadSnapshots(objects, signal), filter);
  const ids: Id[] = [];
  for await (const { id } of objects.list('snapshot', signal)) if (id.startsWith(text)) ids.push(id);
  const [id, ...others] = ids;
  if (id === undefined) return namedOf(text, objects, signal);
  if (id !== text && text.length < MIN_PREFIX) throw ambiguous(text, `is shorter than ${MIN_PREFIX} digits`);
  if (others.length > 0) throw ambiguous(text, `fits ${ids.length} snapshots: ${ids.map(shorten).join(', ')}`);
  return loadSnapshot(objects, id, signal);
}

/** The newest snapshot that a person gave this name, and that is complete if one is. */
async function namedOf(name: string, objects: Objects, signal: AbortSignal): Promise<Snapshot> {
  const tags = [[nameTag(name)]];
  const named = nameComplaint(name) === undefined ? await loadSnapshots(objects, signal) : [];
  if (named.some((snapshot) => passes(snapshot, { tags }))) return latestOf(named, { tags });
  throw new RespaldoError('snapshot-missing', `there is no snapshot ${name}`, {
    hint: '`respaldo snapshots` lists those there are.',
  });
}

/**
 * Every snapshot in the repository, oldest first. One that is removed meanwhile is left out.
 * @param onDamaged told of each that cannot be read, instead of failing
 * @throws RespaldoError `repository-damaged` unless `onDamaged` is given
 */
export async function loadSnapshots(
  objects: Objects,
  signal: AbortSignal,
  onDamaged?: OnDamagedSnapshot,
): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  const listed = objects.list('snapshot', signal);
  const load = async (id: Id) => ({ id, loaded: await loadIfThere(objects, id, signal) });
  for await (const { id, loaded } of inParallel(listed, READS_AT_ONCE, ({ id }) => load(id)))
    if (!(loaded instanceof RespaldoError)) snapshots.push(...loaded);
    else if (onDamaged === undefined) throw loaded;
    else onDamaged(id, loaded);
  return sorted(snapshots);
}

async function loadSnapshot(objects: Objects, id: Id, signal: AbortSignal): Promise<Snapshot> {
  return parseSnapshot(id, await objects.load('snapshot', id, signal));
}

/** The snapshot; none if it is gone; or the damage that was met. */
async function loadIfThere(objects: Objects, id: Id, signal: AbortSignal): Promise<Snapshot[] | RespaldoError> {
  try {
    return [await loadSnapshot(objects, id, signal)];
  } catch (error) {
    if (isError(error, 'store-missing')) return [];
    if (isError(error, 'repository-damaged')) return error;
    throw error;
  }
}

/** The newest complete one; an incomplete one only where there is no other. */
function latestOf(snapshots: readonly Snapshot[], filter: SnapshotFilter): Snapshot {
  const passing = snapshots.filter((snapshot) => passes(snapshot, filter));
  const latest = passing.findLast((snapshot) => !isIncomplete(snapshot)) ?? passing.at(-1);
  if (latest !== undefined) return latest;
  const what = snapshots.length === 0 ? 'there is no snapshot yet' : 'no snapshot passes the filter';
  throw new RespaldoError('snapshot-missing', what, { hint: '`respaldo snapshots` lists those there are.' });
}

/** Whether host, tags and paths of the snapshot are asked for. Ids are not looked at. */
export function passes(snapshot: Snapshot, { hosts = [], tags = [], paths = [] }: SnapshotFilter): boolean {
  const ownTags = snapshot.tags ?? [];
  return (
    (hosts.length === 0 || hosts.includes(snapshot.hostname)) &&
    (tags.length === 0 || tags.some((all) => hasTags(ownTags, all))) &&
    (paths.length === 0 || holdsAll(snapshot.paths, paths))
  );
}

/** Both may be long: a list of files has as many paths as files. */
function holdsAll(own: readonly string[], wanted: readonly string[]): boolean {
  const held = new Set(own);
  return wanted.every((path) => held.has(path));
}

/** An empty tag asks for snapshots without any, as in restic. */
function hasTags(own: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((tag) => (tag === '' ? own.length === 0 : own.includes(tag)));
}

/** By time, then by id. */
function sorted(snapshots: readonly Snapshot[]): Snapshot[] {
  const timed = snapshots.map((snapshot) => ({ snapshot, id: snapshot.id, time: parseTime(snapshot.time) }));
  timed.sort((a, b) => order(a.time, b.time) || order(a.id, b.id));
  return timed.map(({ snapshot }) => snapshot);
}

function order<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}

function shorten(id: Id): string {
  return id.slice(0, 8);
}

function ambiguous(text: string, why: string): RespaldoError {
  return new RespaldoError('usage', `the snapshot id ${text} ${why}`, { hint: 'Give more of its digits.' });
}
