/**
 * scrypt with two lanes at once, on the vectors of WebAssembly: two thirds of the time that OpenSSL takes, and every command
 * begins with it. A thread that waits for its first work takes half of the rest.
 */
import { pbkdf2Sync } from 'node:crypto';
import { LaneMixer, type ScryptCost } from './lane-mixer.ts';
import { type LaneData, type Lend, SharedLanes } from './shared-lanes.ts';

/**
 * Gets a mixer's memory when it is no longer needed: it holds as much of the secret as the result does, and the collector
 * may never come for it.
 */
export type Release = (memory: Uint8Array) => void;

/** Derives `length` bytes as RFC 7914 says. */
export async function scrypt(
  password: string,
  salt: Uint8Array,
  length: number,
  cost: ScryptCost,
  { release, lend }: { readonly release: Release; readonly lend?: Lend | undefined },
): Promise<Buffer> {
  const lanes = SharedLanes.of(pbkdf2Sync(password, salt, 1, cost.p * 128 * cost.r, 'sha256'), cost);
  const mixer = new LaneMixer(cost);
  const loan = lend?.(lanes.data);
  try {
    await lanes.mix(mixer);
    if (!lanes.isComplete()) await loan?.over();
    await lanes.mixMissing(mixer);
  } finally {
    loan?.end();
    release(mixer.memory);
  }
  return pbkdf2Sync(password, lanes.take(), 1, length, 'sha256');
}

/** Takes part in another thread's {@link scrypt}. What it cannot do, that one does. */
export async function mixFor(data: LaneData, release: Release): Promise<void> {
  const mixer = new LaneMixer(data.cost);
  try {
    await new SharedLanes(data).mix(mixer);
  } finally {
    release(mixer.memory);
  }
}
