import type { PackingOptions } from '../port/packing.ts';

/** How blobs become packs. Structured-cloneable. */
export interface Packing {
  readonly packBytes: number;
  /** zstd's level for blobs of each type; undefined: stored as they are. */
  readonly levels: Readonly<Record<'data' | 'tree', number | undefined>>;
}

/** restic's default. */
export const PACK_BYTES = 16 * 1024 * 1024;
/** `auto` gives what restic's gives, in less time; above `max`, minutes win percents. */
const LEVELS = { auto: 2, max: 12 };

/** @param version of the repository: 1 knows no compression */
export function packingOf(version: 1 | 2, options: PackingOptions = {}): Packing {
  const { packBytes = PACK_BYTES, compression = 'auto' } = options;
  if (version === 1) return { packBytes, levels: { data: undefined, tree: undefined } };
  const level = compression === 'max' ? LEVELS.max : LEVELS.auto;
  return { packBytes, levels: { data: compression === 'off' ? undefined : level, tree: level } };
}
