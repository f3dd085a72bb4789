/**
 * A backup to archives: each database or folder captured once, and written to every place. What the same run has stored in
 * a repository is read from there, not from the source again.
 */
import type { ArchivePlace } from '../archive/archive.ts';
import { manifestKey, sendLeftovers, sweepPlace } from '../archive/index.ts';
import { both } from '../domain/both.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Increments, PortableFile, Source } from '../sources/source.ts';
import type { Store } from '../stores/store.ts';
import { Finishing } from './archive-finishing.ts';
import { Tally, type ArchiveOutcome } from './archive-tally.ts';
import {
  hopeful,
  writePortableFile,
  type ArchiveBackupPorts,
  type ArchiveBackupRequest,
  type Writing,
} from './archive-writing.ts';
import { SourcesAhead } from './sources-ahead.ts';

/**
 * Each place gets every file whole, or not at all, whatever becomes of the others; what a source fails to give is missing
 * everywhere.
 * @throws RespaldoError `usage` for a source without portable copies, and what stops everything: `cancelled`, a source
 * that cannot be read at all
 */
export async function backUpToArchives(
  request: ArchiveBackupRequest,
  ports: ArchiveBackupPorts,
  signal: AbortSignal,
): Promise<readonly ArchiveOutcome[]> {
  const { sources, captured, places } = request;
  requirePortable(sources);
  await using ahead = ports.ahead ?? new SourcesAhead([], ports, signal);
  const { findings, io } = ahead;
  const now = ports.clock.now();
  const time = request.time ?? now;
  const increments = incrementsOf(request, time, signal);
  const snapshots = new Map<Source, ReadableSnapshot>();
  for (const source of sources) {
    const snapshot = await snapshotOf(source, request, increments, { ...ports, onFinding: findings.add });
    if (snapshot !== undefined) snapshots.set(source, snapshot);
    else if (!ahead.has(source)) for (const finding of await source.check(io)) findings.add(finding);
  }
  const [seen] = await both(ahead.checked(), sweepAll(places, now, signal));
  for (const finding of seen) findings.add(finding);
  const tallies = places.map((place) => new Tally(place, ports.onFile));
  for (const tally of tallies) for (const sent of await sendLeftovers(tally.place, signal)) tally.add(sent, sent.key);
  const read = new Map<PortableFile, number>();
  const writing: Writing = { request, ports, io, time, tallies, findings, read, ...(increments && { increments }) };
  for (const source of sources) await writeSource(source, snapshots.get(source), writing);
  const isIncomplete = findings.serious || sources.some((source) => captured?.get(source)?.isIncomplete === true);
  return tallies.map((tally) => tally.outcome(isIncomplete));
}

async function sweepAll(places: readonly ArchivePlace[], now: Date, signal: AbortSignal): Promise<void> {
  for (const place of places) await sweepPlace(place, now, signal);
}

/** Undefined where the source itself has to be read. */
async function snapshotOf(
  source: Source,
  { captured }: ArchiveBackupRequest,
  increments: Increments | undefined,
  { onFinding, onUnreadable }: Pick<ArchiveBackupPorts, 'onFinding' | 'onUnreadable'>,
): Promise<ReadableSnapshot | undefined> {
  const snapshot = source.portableOf && captured?.get(source)?.snapshot;
  if (snapshot === undefined || increments === undefined) return snapshot;
  try {
    const why = await source.whyReadAgain?.(snapshot, increments);
    if (why === undefined) return snapshot;
    const message = `${source.paths.join(', ')} is read again for the archives: ${why}`;
    onFinding?.({ severity: 'note', code: 'read-again', prominent: true, message });
  } catch (error) {
    if (isError(error, 'cancelled')) throw error;
    onUnreadable?.(snapshot.id, toRespaldoError(error));
  }
  return undefined;
}

/** From the snapshot, if it has one; what cannot be read there, or has none, from the source itself. */
async function writeSource(source: Source, snapshot: ReadableSnapshot | undefined, writing: Writing): Promise<void> {
  const { request, ports, io, tallies, increments } = writing;
  const written = new Set<string>();
  if (snapshot !== undefined) {
    const unread = await writeSnapshot(source, snapshot, written, writing);
    const [first] = unread;
    if (first === undefined) return;
    if (request.isSnapshotAll === true) {
      for (const { name, problem } of unread) for (const tally of hopeful(tallies)) tally.miss(name, problem);
      return;
    }
    ports.onUnreadable?.(snapshot.id, first.problem);
  }
  await using finishing = new Finishing();
  for await (const file of source.portable?.(io, increments) ?? []) {
    if (written.has(file.name)) await skip(file);
    else await finishing.write(file, source, writing);
  }
  await finishing.end();
}

/** @param written the names of those that could be read @returns those that could not */
async function writeSnapshot(
  source: Source,
  snapshot: ReadableSnapshot,
  written: Set<string>,
  writing: Writing,
): Promise<readonly { readonly name: string; readonly problem: RespaldoError }[]> {
  const isIncomplete = writing.request.captured?.get(source)?.isIncomplete === true;
  const unread: { name: string; problem: RespaldoError }[] = [];
  const files = source.portableOf?.(snapshot, writing.increments)[Symbol.asyncIterator]();
  for (;;) {
    const next = await nextOf(files, writing.io.signal);
    if ('problem' in next) return [...unread, { name: source.paths.join(', '), problem: next.problem }];
    const { file } = next;
    if (file === undefined) return unread;
    const problem = await writePortableFile(ofSnapshot(file, snapshot, isIncomplete), source, true, writing);
    if (problem === undefined) written.add(file.name);
    else unread.push({ name: file.name, problem });
  }
}

async function nextOf(
  files: AsyncIterator<PortableFile> | undefined,
  signal: AbortSignal,
): Promise<{ readonly file: PortableFile | undefined } | { readonly problem: RespaldoError }> {
  try {
    const next = await files?.next();
    return { file: next === undefined || next.done === true ? undefined : next.value };
  } catch (error) {
    throwIfAborted(signal);
    return { problem: toRespaldoError(error) };
  }
}

/** Its manifest says where it comes from. */
function ofSnapshot(file: PortableFile, { id }: ReadableSnapshot, isIncomplete: boolean): PortableFile {
  return {
    ...file,
    about: () => {
      const about = file.about();
      const incomplete = isIncomplete ? { incomplete: 'so is the snapshot' } : {};
      return { ...about, facts: { ...about.facts, snapshot: id, ...incomplete } };
    },
  };
}

/** What comes after it is asked for when it has ended. */
async function skip({ content }: PortableFile): Promise<void> {
  for await (const _piece of content) continue;
}

function incrementsOf(
  { increments, plan, run, places }: ArchiveBackupRequest,
  time: Date,
  signal: AbortSignal,
): Increments | undefined {
  if (increments === undefined) return undefined;
  const isThere = async (keys: Readonly<Record<string, string>>): Promise<boolean> => {
    for (const { archive, store } of places) {
      const key = keys[archive];
      if (key === undefined || (await isGone(key, store, signal))) return false;
    }
    return true;
  };
  return { ...increments, plan, run, time, isThere };
}

/** A store that cannot be asked now says nothing of it: writing to it will. */
async function isGone(key: string, store: Store, signal: AbortSignal): Promise<boolean> {
  try {
    await store.stat(manifestKey(key), signal);
    await store.stat(key, signal);
    return false;
  } catch (error) {
    throwIfAborted(signal);
    return isError(error, 'store-missing');
  }
}

function requirePortable(sources: readonly Source[]): void {
  const other = sources.find((source) => source.portable === undefined);
  if (other === undefined) return;
  throw new RespaldoError('usage', `${other.paths.join(', ')} has no portable copies that an archive could hold`, {
    hint: 'Archives hold folders, and databases as dumps (?method=logical). Let the plan go to a repository instead.',
  });
}
