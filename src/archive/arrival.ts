/** Makes sure that a file has arrived as it was sent. */
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Store } from '../stores/store.ts';
import type { ArchivePlace, Proof, Sum } from './archive.ts';
import { sameBytes } from './copy.ts';

/** A place that was sent a file, or failed. */
interface Recipient {
  readonly place: ArchivePlace;
  readonly key: string;
  failure?: RespaldoError;
  confirmedBy?: Proof;
}

/** Looks at what went to its place while it was made: one that did not arrive as it was sent has failed. */
export async function confirmArrivals(all: readonly Recipient[], stored: Sum, signal: AbortSignal): Promise<void> {
  const direct = all.filter(({ place, failure }) => place.temp === undefined && failure === undefined);
  await Promise.all(
    direct.map(async (target) => {
      try {
        target.confirmedBy = await confirm(target.place, target.key, stored, signal);
      } catch (error) {
        throwIfAborted(signal);
        target.failure = toRespaldoError(error);
      }
    }),
  );
}

/**
 * By the sum that the place keeps, where it tells one; it is read back only where that is another one, or where none is told
 * and somebody else's word for it is not enough: before a copy that is at hand goes, or if nobody has compared what arrived.
 * @throws RespaldoError `store-broken` and `source-damaged` if it is not what was sent
 */
export async function confirm(
  { store, temp, confirm: wanted }: ArchivePlace,
  key: string,
  stored: Sum,
  signal: AbortSignal,
): Promise<Proof> {
  await requireSize(store, key, stored.bytes, signal);
  if (wanted === 'size') return 'size';
  const told = wanted === 'read' ? undefined : await store.compareSums?.(key, signal);
  if (told?.isSame === true) return told.by;
  const isTaken = wanted === undefined && temp === undefined && store.compares === true;
  if (isTaken && told === undefined) return 'size';
  for await (const _piece of sameBytes(store, key, stored, signal));
  return 'read';
}

/** What a store says that it has taken is looked at once more. */
export async function requireSize(store: Store, key: string, size: number, signal: AbortSignal): Promise<void> {
  const found = await store.stat(key, signal);
  if (found.size === size) return;
  throw new RespaldoError(
    'store-broken',
    `${store.location} has ${String(found.size)} bytes of ${key}, and was given ${String(size)}`,
  );
}
