import type { RespaldoError } from '../../errors.ts';

/** What to do about the locks of others. */
export interface LockPolicy {
  /** Read without a lock of our own, whatever others do meanwhile. Default: with one. */
  readonly readUnlocked?: boolean;
  /** Wait so long for others to be done. Default: not at all. */
  readonly waitMs?: number;
  /** Told of each lock in the way before it is waited for. */
  readonly onWait?: (error: RespaldoError) => void;
}
