/** What a repository needs of a store, tried one by one. Two connections stand for two machines. */
import { randomBytes } from 'node:crypto';

import type { Clock } from '../clock.ts';
import type { Observation } from '../domain/observation.ts';
import { isError } from '../errors.ts';
import type { Store } from '../stores/store.ts';

/** Where trials take place. */
export interface Bench {
  readonly near: Store;
  readonly far: Store;
  /** All that is written lies below; ends in `/`. */
  readonly folder: string;
  readonly clock: Clock;
}

type Outcome = Omit<Observation, 'trait'>;

interface StoreTrial {
  readonly trait: string;
  readonly attempt: (bench: Bench, signal: AbortSignal) => Promise<Outcome>;
}

const ROUNDS = 5;
const OBJECTS = 24;
const RIVALS = 8;
/** Bytes of a common index, and of something to measure by. */
const [SMALL, LARGE] = [4096, 8 * 1024 * 1024];
/** From here on each object costs a person's patience. Milliseconds. */
const SLOW = 250;

/** In the order in which they are told. */
export const STORE_TRIALS: readonly StoreTrial[] = [
  { trait: 'read after write', attempt: readAfterWrite },
  { trait: 'overwriting', attempt: overwriting },
  { trait: 'ranges', attempt: ranges },
  { trait: 'listing', attempt: listing },
  { trait: 'absence', attempt: absence },
  { trait: 'rivals', attempt: rivals },
  { trait: 'locks', attempt: locks },
  { trait: 'speed', attempt: speed },
];

async function readAfterWrite({ near, far, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  for (const [round, size] of [0, 1, SMALL, 1_000_003].entries()) {
    const [key, content] = [`${folder}read${round}`, randomBytes(size)];
    await near.write(key, content, signal);
    if (!(await holds(far, key, content, signal)))
      return bad(`what was written is not what another connection reads (${size} bytes)`, EVENTUAL);
    if ((await far.stat(key, signal)).size !== size) return bad('an object has not the size that was written');
  }
  return good('what is written is read at once, everywhere');
}

async function overwriting({ near, far, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  const key = `${folder}again`;
  for (let round = 0; round < ROUNDS; round++) {
    const content = randomBytes(SMALL >> round);
    await near.write(key, content, signal);
    if (!(await holds(far, key, content, signal)))
      return bad('an older object is read after it was written again', EVENTUAL);
  }
  return good('the newest is read at once, everywhere');
}

async function ranges({ near, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  const [key, content] = [`${folder}ranges`, randomBytes(SMALL)];
  await near.write(key, content, signal);
  for (const [offset, length] of [
    [0, 1],
    [1000, 500],
    [SMALL - 7, 7],
    [0, SMALL],
  ] as const) {
    const read = await near.read(key, { offset, length }, signal);
    if (!content.subarray(offset, offset + length).equals(read))
      return bad(`${length} bytes from ${offset} are not those that lie there`);
  }
  const beyond = near.read(key, { offset: SMALL - 1, length: 2 }, signal);
  if (await succeeds(beyond)) return bad('bytes are given that lie behind the end of an object');
  return good('any part of an object can be read');
}

async function listing({ near, far, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  const prefix = `${folder}list/`;
  const keys = Array.from({ length: OBJECTS }, (_, at) => `${prefix}${String(at).padStart(3, '0')}`);
  await Promise.all(keys.map((key, at) => near.write(key, randomBytes(at), signal)));
  const listed = await listOf(far, prefix, signal);
  if (listed.join() !== keys.map((key, at) => `${key}=${at}`).join())
    return bad(`${listed.length} of ${OBJECTS} objects are listed right after they were written`, EVENTUAL);
  const [gone, kept] = [keys.slice(0, OBJECTS / 2), keys.slice(OBJECTS / 2)];
  await Promise.all(gone.map((key) => near.remove(key, signal)));
  const left = await listOf(far, prefix, signal);
  if (left.length !== kept.length) return bad('objects are listed that were removed', EVENTUAL);
  return good('shows at once what was written and what was removed');
}

async function absence({ near, far, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  const key = `${folder}gone`;
  await near.write(key, randomBytes(10), signal);
  await near.remove(key, signal);
  await near.remove(key, signal);
  for (const asked of [() => far.read(key, undefined, signal), () => far.stat(key, signal)]) {
    try {
      await asked();
      return bad('a removed object is still there', EVENTUAL);
    } catch (error) {
      if (!isError(error, 'store-missing')) throw error;
    }
  }
  return good('what was removed is gone at once');
}

/** Several writers of one name: one of their objects must be there afterwards, whole. */
async function rivals({ near, far, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  const key = `${folder}rivals`;
  const contents = Array.from({ length: RIVALS }, (_, at) => Buffer.alloc(100_000 + at, at));
  await Promise.all(contents.map((content, at) => (at % 2 === 0 ? near : far).write(key, content, signal)));
  const read = await near.read(key, undefined, signal);
  if (contents.some((content) => content.equals(read))) return good('one of several writers wins, whole');
  return bad('several writers of one object leave a mixture');
}

/** Two who lock at the same time must see each other: whoever writes its lock first and lists then, cannot be missed. */
async function locks({ near, far, folder }: Bench, signal: AbortSignal): Promise<Outcome> {
  for (let round = 0; round < ROUNDS; round++) {
    const prefix = `${folder}locks/${round}`;
    const seen = await Promise.all(
      [near, far].map(async (store, at) => {
        await store.write(`${prefix}-${at}`, randomBytes(100), signal);
        return (await listOf(store, `${folder}locks/`, signal)).filter((key) => key.startsWith(prefix)).length;
      }),
    );
    if (!seen.includes(2)) return bad('two who lock at once may not see each other', EVENTUAL);
  }
  return good('two who lock at once see each other');
}

async function speed({ near, folder, clock }: Bench, signal: AbortSignal): Promise<Outcome> {
  const time = async (work: () => Promise<unknown>): Promise<number> => {
    const start = clock.monotonic();
    await work();
    return clock.monotonic() - start;
  };
  const writes: number[] = [];
  const reads: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const key = `${folder}speed${round}`;
    writes.push(await time(() => near.write(key, randomBytes(SMALL), signal)));
    reads.push(await time(() => near.read(key, undefined, signal)));
  }
  const content = randomBytes(LARGE);
  const up = await time(() => near.write(`${folder}speed`, content, signal));
  const down = await time(() => near.read(`${folder}speed`, undefined, signal));
  const [write, read] = [median(writes), median(reads)];
  const found = `${write.toFixed(1)} ms to write an object, ${read.toFixed(1)} ms to read one; up ${rate(up)}, down ${rate(down)}`;
  if (Math.max(write, read) < SLOW) return good(found);
  return {
    ...{ verdict: 'note', found },
    advice: 'Each object takes long: let the cache on (no --no-cache), and check with --read-data seldom.',
  };
}

const EVENTUAL =
  'The store shows changes late, which a repository cannot live with. Ask its provider for strong consistency, or take another one.';

function good(found: string): Outcome {
  return { verdict: 'good', found };
}

function bad(found: string, advice?: string): Outcome {
  return { verdict: 'bad', found, ...(advice !== undefined && { advice }) };
}

async function holds(store: Store, key: string, content: Buffer, signal: AbortSignal): Promise<boolean> {
  try {
    return content.equals(await store.read(key, undefined, signal));
  } catch (error) {
    if (isError(error, 'store-missing')) return false;
    throw error;
  }
}

/** Each as `key=size`, sorted. */
async function listOf(store: Store, prefix: string, signal: AbortSignal): Promise<string[]> {
  const objects = await Array.fromAsync(store.list(prefix, signal));
  return objects.map(({ key, size }) => `${key}=${size}`).sort();
}

async function succeeds(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (isError(error, 'store-broken')) return false;
    throw error;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function rate(milliseconds: number): string {
  return `${((LARGE / 1024 / 1024 / Math.max(milliseconds, 0.01)) * 1000).toFixed(0)} MiB/s`;
}
