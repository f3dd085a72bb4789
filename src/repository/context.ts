import type { Clock } from '../clock.ts';
import type { Store } from '../stores/store.ts';
import type { RepositoryConfig } from './format/config.ts';
import type { RepositoryKey, Sealer } from './format/crypto.ts';
import type { BlobIndex } from './storage/blob-index.ts';
import type { Objects } from './storage/objects.ts';

/** What the parts of an opened repository share. */
export interface RepositoryContext {
  readonly store: Store;
  readonly key: RepositoryKey;
  readonly sealer: Sealer;
  readonly config: RepositoryConfig;
  readonly objects: Objects;
  readonly clock: Clock;
  /** A fresh read of every index. List snapshots first: what they need is then in it. */
  loadIndex(signal: AbortSignal): Promise<BlobIndex>;
}
