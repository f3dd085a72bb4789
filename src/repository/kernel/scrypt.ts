/**
 * scrypt with two or three lanes at once, on the vectors of WebAssembly: five eighths of OpenSSL's time, and every
 * command begins with it. A thread that waits for its first work takes half of that.
 */
import { pbkdf2Sync } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Discard } from './discard.ts';
import { LaneMixer, type ScryptCost } from './lane-mixer.ts';
import { type LaneData, type Lend, SharedLanes } from './shared-lanes.ts';

/** Derives `length` bytes as RFC 7914 says. */
export async function scrypt(
  password: string,
  salt: Uint8Array,
  length: number,
  cost: ScryptCost,
  { discard, lend }: { readonly discard: Discard; readonly lend?: Lend | undefined },
): Promise<Buffer> {
  const lanes = SharedLanes.of(pbkdf2Sync(password, salt, 1, cost.p * 128 * cost.r, 'sha256'), cost);
  const wanted = Math.min(lanes.groups, availableParallelism());
  const others = lend === undefined ? [] : borrow(lanes.data, lend, wanted);
  // Where others do it all, this thread is free for who waits for something else: a server that answers.
  if (others.length < wanted) await mixFor(lanes.data, discard);
  for (const over of others) if (!lanes.isComplete()) await over();
  if (!lanes.isComplete()) {
    using mixer = new LaneMixer(cost, discard);
    await lanes.mixMissing(mixer);
  }
  return pbkdf2Sync(password, lanes.take(), 1, length, 'sha256');
}

/** @returns for each thread what tells when it is done; there may be fewer of them. */
function borrow(data: LaneData, lend: Lend, wanted: number): (() => Promise<void>)[] {
  const others: (() => Promise<void>)[] = [];
  while (others.length < wanted) {
    const over = lend(data);
    if (over === undefined) break;
    others.push(over);
  }
  return others;
}

/** Takes part in another thread's {@link scrypt}. What it cannot do, that one does. */
export async function mixFor(data: LaneData, discard: Discard): Promise<void> {
  using mixer = new LaneMixer(data.cost, discard);
  await new SharedLanes(data).mix(mixer);
}
