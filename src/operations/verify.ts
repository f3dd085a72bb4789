import path from 'node:path';
import type { Clock } from '../clock.ts';
import type { DrillCheck, DrillPhase, DrillSettings } from '../domain/drill.ts';
import type { Finding } from '../domain/finding.ts';
import { PROVEN_TAG, VERIFIED_TAG } from '../domain/proof.ts';
import { isIncomplete, type Snapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError, throwIfAborted } from '../errors.ts';
import type { Repository, RestoreProgress } from '../repository/repository.ts';
import type { Runtime, Sandbox, SandboxRequest } from '../runtimes/runtime.ts';
import type { DrillReport, DrillRequest, Driller, SourceKind } from '../sources/source.ts';
import { DrillFolder, drillUser, removeLeftovers } from './drill-folder.ts';
import { openDrillPlace } from './drill-place.ts';
import { Findings } from './findings.ts';
import { snapshotKind } from './kind.ts';

export interface VerifyRequest {
  readonly snapshot: Snapshot;
  readonly settings: DrillSettings;
  /** An absolute folder, where there is none in the settings. */
  readonly folder: string;
  /** Only restore the files and compare every byte with what is stored: that verifies, and proves no database. */
  readonly contentOnly?: boolean;
}

export interface VerifyPorts {
  readonly repository: Repository;
  /** Of this host. */
  readonly runtime: Runtime;
  /** Where a drill wants a container. */
  readonly openSandbox: (request: SandboxRequest) => Promise<Sandbox>;
  /** Every kind of source. */
  readonly kinds: readonly SourceKind[];
  readonly clock: Clock;
  readonly onPhase?: (phase: DrillPhase) => void;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
}

export interface VerifyOutcome {
  /** `refuted`: it does not restore, or not to what it should be. `verified`: its bytes do, no more was asked. */
  readonly state: 'proven' | 'verified' | 'refuted';
  /** Of the snapshot with its mark: another one than before where the mark is new. */
  readonly id: string;
  /** Why the mark could not be changed: the repository is locked by others, or cannot be written to. */
  readonly unmarked?: RespaldoError;
  readonly report: Pick<DrillReport, 'times' | 'checks'> & Partial<Pick<DrillReport, 'server'>>;
  readonly findings: readonly Finding[];
}

/**
 * A drill: restores the snapshot to where nobody else looks, checks what came of it, removes it, and marks the snapshot
 * as proven, or takes the mark away. What keeps a drill from being done is thrown, and changes no mark.
 * @throws RespaldoError `usage` for an incomplete snapshot, `target-full`, `tool-missing`, `cancelled` …
 */
export async function verify(request: VerifyRequest, ports: VerifyPorts, signal: AbortSignal): Promise<VerifyOutcome> {
  const { snapshot } = request;
  requireComplete(snapshot);
  const findings = new Findings(ports.onFinding);
  const report = await rehearse(request, ports, findings, signal);
  const isSound = report.checks.every(({ passed }) => passed);
  const state = !isSound ? 'refuted' : request.contentOnly === true ? 'verified' : 'proven';
  throwIfAborted(signal);
  const marked = await tryToMark(snapshot, state, ports.repository, signal);
  return { state, ...marked, report, findings: findings.list };
}

/** A drill that was done is told of, even where its mark could not be set. */
async function tryToMark(
  snapshot: Snapshot,
  state: VerifyOutcome['state'],
  repository: Repository,
  signal: AbortSignal,
): Promise<Pick<VerifyOutcome, 'id' | 'unmarked'>> {
  try {
    return { id: await mark(snapshot, state, repository, signal) };
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof RespaldoError)) throw error;
    const message = `the snapshot is ${state}, but its mark could not be changed: ${error.message}`;
    const details = { context: error.context, cause: error, ...(error.hint !== undefined && { hint: error.hint }) };
    return { id: snapshot.id, unmarked: new RespaldoError(error.code, message, details) };
  }
}

/** Everything that was made is gone when it returns. */
async function rehearse(
  { snapshot, settings, folder: usual, contentOnly = false }: VerifyRequest,
  ports: VerifyPorts,
  findings: Findings,
  signal: AbortSignal,
): Promise<VerifyOutcome['report']> {
  const { repository, kinds } = ports;
  const programs = kinds.flatMap(({ driller }) => driller?.programs ?? []);
  const place = { base: path.resolve(settings.folder ?? usual), programs };
  for (const folder of await removeLeftovers(place)) findings.add(leftover(folder));
  await using folder = await DrillFolder.make(place);
  try {
    const driller = contentOnly ? undefined : (await snapshotKind(snapshot, repository, kinds, signal))?.driller;
    if (driller === undefined) return await rehearseFiles(snapshot, folder, ports, findings, signal);
    return await rehearseServer(driller, { snapshot, settings }, folder, ports, findings, signal);
  } catch (error) {
    throwIfAborted(signal);
    if (!isError(error, 'not-proven') && !isError(error, 'repository-damaged')) throw error;
    const hint = error.hint === undefined ? '' : `\n${error.hint}`;
    return { times: {}, checks: [{ name: 'restore', passed: false, detail: `${error.message}${hint}` }] };
  }
}

async function rehearseServer(
  driller: Driller,
  { snapshot, settings }: Pick<VerifyRequest, 'snapshot' | 'settings'>,
  folder: DrillFolder,
  ports: VerifyPorts,
  findings: Findings,
  signal: AbortSignal,
): Promise<DrillReport> {
  const { repository, clock, onPhase = () => undefined } = ports;
  const readable = repository.readable(snapshot, signal);
  await folder.requireRoom(await driller.neededBytes(readable));
  const extract: DrillRequest['extract'] = async (from, into, without = []) => {
    const options = { path: from, include: [], exclude: without, owners: false };
    await restoreAll(snapshot, into, options, ports, findings, signal);
  };
  const place = { folder: folder.path, lifeline: folder.lifeline, user: drillUser() };
  const { image } = settings;
  await using sandbox = await openDrillPlace(driller, readable, image, place, ports, findings.add, signal);
  const runtime = sandbox?.runtime ?? ports.runtime;
  const request = { snapshot: readable, settings, folder: folder.path, user: drillUser(), extract, clock, onPhase };
  return await driller.drill(request, { runtime, signal, report: findings.add, expect: () => undefined });
}

/** Files are proven by being there again, read back, and equal. */
async function rehearseFiles(
  snapshot: Snapshot,
  folder: DrillFolder,
  ports: VerifyPorts,
  findings: Findings,
  signal: AbortSignal,
): Promise<Pick<DrillReport, 'times' | 'checks'>> {
  const { repository, clock, onPhase } = ports;
  const size = await repository.stats([snapshot], 'restore-size', signal);
  await folder.requireRoom(size.bytes);
  onPhase?.('fetch');
  const start = clock.monotonic();
  const options = { include: [], exclude: [], owners: false, verify: true };
  const into = path.join(folder.path, 'files');
  const restored = await restoreAll(snapshot, into, options, ports, findings, signal);
  const checks: DrillCheck[] = [
    {
      name: 'files',
      passed: true,
      detail: `${String(restored.filesVerified ?? 0)} files were restored, read back, and are as they were stored`,
    },
  ];
  return { times: { fetch: (clock.monotonic() - start) / 1000 }, checks };
}

/** @throws RespaldoError `not-proven` where something could not be restored. */
async function restoreAll(
  snapshot: Snapshot,
  into: string,
  options: Parameters<Repository['restore']>[2],
  { repository, onProgress }: VerifyPorts,
  findings: Findings,
  signal: AbortSignal,
) {
  const here = new Findings(findings.add);
  const more = { onFinding: here.add, ...(onProgress && { onProgress }) };
  const restored = await repository.restore(snapshot, into, { ...options, ...more }, signal);
  if (!here.serious) return restored;
  const serious = here.list.filter(({ severity }) => severity !== 'note');
  throw new RespaldoError('not-proven', `not everything could be restored: ${serious[0]?.message ?? ''}`, {
    hint: 'Run `respaldo check --read-data` to see whether the repository is sound.',
  });
}

/** The mark says what is true now: it goes where the proof failed. @returns the snapshot's id from now on. */
async function mark(
  { id, tags = [] }: Snapshot,
  state: VerifyOutcome['state'],
  repository: Repository,
  signal: AbortSignal,
): Promise<string> {
  const wanted = marksOf(state, tags.includes(PROVEN_TAG));
  const add = wanted.filter((one) => !tags.includes(one));
  const remove = MARKS.filter((one) => tags.includes(one) && !wanted.includes(one));
  if (add.length === 0 && remove.length === 0) return id;
  const [changed] = await repository.tag({ ids: [id] }, { add, remove }, signal);
  return changed?.after ?? id;
}

const MARKS = [VERIFIED_TAG, PROVEN_TAG];

/** What is proven was verified by the way, and stays proven when it is verified again. */
function marksOf(state: VerifyOutcome['state'], wasProven: boolean): readonly string[] {
  switch (state) {
    case 'proven':
      return [PROVEN_TAG];
    case 'verified':
      return [wasProven ? PROVEN_TAG : VERIFIED_TAG];
    case 'refuted':
      return [];
  }
}

function requireComplete(snapshot: Snapshot): void {
  if (!isIncomplete(snapshot)) return;
  throw new RespaldoError('usage', `snapshot ${snapshot.id.slice(0, 8)} is incomplete: it cannot be proven`, {
    hint: 'Something that belongs in it could not be read when it was taken. Prove another one, or take a new one.',
  });
}

function leftover(folder: string): Finding {
  return {
    severity: 'note',
    code: 'drill-leftover-removed',
    prominent: true,
    subject: folder,
    message: `${folder} was left behind by a drill that was killed: it was removed, and its server ended`,
  };
}
