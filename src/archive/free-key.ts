import { numberedKey } from '../domain/archive-name.ts';
import { hasObject, type Store } from '../stores/store.ts';
import { manifestKey } from './manifest.ts';

/** Keys that are being written, by the places of their stores: several plans may run at once. */
const inUse = new Set<string>();

/** Never the key of a file that is there, or will be: what was stored once is not replaced. Until {@link letGo} it is ours. */
export async function freeKey(key: string, store: Store, signal: AbortSignal): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? key : numberedKey(key, number);
    const place = placeOf(store, candidate);
    if (inUse.has(place)) continue;
    inUse.add(place);
    try {
      const isTaken =
        (await hasObject(store, candidate, signal)) || (await hasObject(store, manifestKey(candidate), signal));
      if (!isTaken) return candidate;
    } catch (error) {
      inUse.delete(place);
      throw error;
    }
    inUse.delete(place);
  }
}

export function letGo(store: Store, key: string): void {
  inUse.delete(placeOf(store, key));
}

function placeOf({ location }: Store, key: string): string {
  return `${location}\n${key}`;
}
