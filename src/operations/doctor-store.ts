import { randomBytes } from 'node:crypto';

import type { Clock } from '../clock.ts';
import type { Observation } from '../domain/observation.ts';
import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { Store } from '../stores/store.ts';
import { STORE_TRIALS } from './store-trials.ts';

export interface DoctorPorts {
  /** Opens the store anew, with nothing around it that would try again. */
  readonly open: () => Promise<Store>;
  readonly clock: Clock;
  /** Each observation as it is made. */
  readonly onObservation?: (observation: Observation) => void;
}

export interface StoreDiagnosis {
  readonly location: string;
  /** Whether a repository can be kept there: nothing was found to be bad. */
  readonly fit: boolean;
  readonly observations: readonly Observation[];
}

/** How long it may take to remove what was written, after somebody has given up. Milliseconds. */
const CLEANING = 60_000;
const SCRATCH = 'respaldo/doctor-';
/** No examination lasts so long: an older folder is nobody's. Milliseconds. */
const LONGEST = 24 * 60 * 60 * 1000;

/**
 * Tries whether a store can keep a repository, by two connections, in a folder of its own, which it removes again. A
 * repository that lies there is not touched.
 * @throws RespaldoError where the store cannot be reached, or nothing can be written there
 */
export async function doctorStore(ports: DoctorPorts, signal: AbortSignal): Promise<StoreDiagnosis> {
  const { open, clock } = ports;
  await using stack = new AsyncDisposableStack();
  const near = await open();
  stack.defer(() => near.close());
  const far = await open();
  stack.defer(() => far.close());
  const observations: Observation[] = [];
  const tell = (observation: Observation): void => {
    observations.push(observation);
    ports.onObservation?.(observation);
  };
  const folder = scratchFolder(clock.now());
  await near.write(`${folder}hello`, randomBytes(16), signal);
  try {
    // A store that does not even list is told of by the trials.
    await sweep(near, clock.now(), signal).catch(() => throwIfAborted(signal));
    for (const { trait, attempt } of STORE_TRIALS) {
      tell(await tried(trait, () => attempt({ near, far, folder, clock }, signal), signal));
    }
    for await (const observation of near.examine?.(folder, signal) ?? []) tell(observation);
  } finally {
    const left = await removeAll(near, folder);
    if (left !== undefined) tell(left);
  }
  return { location: near.location, fit: observations.every(({ verdict }) => verdict !== 'bad'), observations };
}

/** Its name tells when it was made: not every store tells that of what lies in it. */
function scratchFolder(now: Date): string {
  return `${SCRATCH}${now.getTime().toString(36)}-${randomBytes(6).toString('hex')}/`;
}

/** Removes what examinations have left that were killed. */
async function sweep(store: Store, now: Date, signal: AbortSignal): Promise<void> {
  const stale = new Set<string>();
  for await (const { key } of store.list('respaldo/', signal)) {
    const [folder, made] = /^respaldo\/doctor-([0-9a-z]+)-[0-9a-f]+\//.exec(key) ?? [];
    if (folder === undefined || made === undefined) continue;
    if (Number.parseInt(made, 36) < now.getTime() - LONGEST) stale.add(folder);
  }
  for (const folder of stale) await removeAll(store, folder);
}

async function tried(
  trait: string,
  attempt: () => Promise<Omit<Observation, 'trait'>>,
  signal: AbortSignal,
): Promise<Observation> {
  try {
    return { trait, ...(await attempt()) };
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof RespaldoError) || error.code === 'internal') throw error;
    return { trait, verdict: 'bad', found: error.message, ...(error.hint !== undefined && { advice: error.hint }) };
  }
}

/** @returns what to say if something stays behind. */
async function removeAll(store: Store, folder: string): Promise<Observation | undefined> {
  const signal = AbortSignal.timeout(CLEANING);
  try {
    for (let round = 0; round < 2; round++) {
      for await (const { key } of store.list(folder, signal)) await store.remove(key, signal);
    }
    await store.remove(`${folder}hello`, signal);
    for (const path of [`${folder}locks`, `${folder}list`, folder.slice(0, -1), 'respaldo'])
      await store.removeFolder?.(path, signal);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ...{ trait: 'cleaning up', verdict: 'bad', found: `${folder} could not be removed: ${reason}` },
      advice: `Remove ${folder} there by hand. Without the right to remove, nothing can be forgotten, and no lock lifted.`,
    };
  }
}
