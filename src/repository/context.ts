import type { Clock } from '../clock.ts';
import type { NearStore, Store } from '../stores/store.ts';
import type { RepositoryConfig } from './format/config.ts';
import type { RepositoryKey } from './format/cipher.ts';
import { Sealer } from './format/crypto.ts';
import { type Packing, packingOf } from './format/packing.ts';
import type { LockPolicy } from './repository.ts';
import type { BlobIndex } from './storage/blob-index.ts';
import { loadIndex, type LoadOptions } from './storage/load-index.ts';
import { Objects, packIdOf } from './storage/objects.ts';
import type { Recruits } from './workers/recruits.ts';

/** What the parts of an opened repository share. */
export interface RepositoryContext {
  /** For packs of data, and all that is asked for once. */
  readonly store: Store;
  /** The same objects, perhaps with a cache before them: for packs of trees. `objects` go through it as well. */
  readonly nearby: NearStore;
  readonly key: RepositoryKey;
  readonly sealer: Sealer;
  readonly config: RepositoryConfig;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly packing: Packing;
  /** Threads that were started before anybody needed them. */
  readonly recruits?: Recruits | undefined;
  /**
   * A fresh read of every index. List snapshots first: what they need is then in it.
   * @throws RespaldoError `repository-damaged` unless `onDamaged` is given, for who only reads
   */
  loadIndex(signal: AbortSignal, options?: LoadOptions): Promise<BlobIndex>;
}

/** What a context is made of. */
export interface ContextParts extends Pick<RepositoryContext, 'store' | 'key' | 'config' | 'clock'> {
  /** Default: the store itself. */
  readonly nearby?: NearStore;
  readonly locking?: LockPolicy;
  /** Default: that of the repository's version. */
  readonly packing?: Packing;
  readonly recruits?: Recruits | undefined;
}

export function makeContext(parts: ContextParts): RepositoryContext {
  const { store, key, config, clock, locking, packing = packingOf(config.version), recruits } = parts;
  const nearby: NearStore = parts.nearby ?? store;
  const sealer = new Sealer(key);
  const objects = new Objects(nearby, sealer, config.version, locking);
  return {
    ...{ store, nearby, key, sealer, config, objects, clock, packing, recruits },
    loadIndex: async (signal, options) => {
      const index = await loadIndex(objects, signal, options);
      await nearby.retain?.('data/', (key) => index.hasPack(packIdOf(key)));
      return index;
    },
  };
}

/** For who wants to know what the store holds now: nothing is believed because it was read before. */
export function afresh({ store, nearby, key, config, clock, objects, packing }: RepositoryContext): RepositoryContext {
  const { locking } = objects;
  return makeContext({ store, nearby: nearby.afresh?.() ?? nearby, key, config, clock, locking, packing });
}
