import type { Source } from '../source.ts';
import type { BackupAddress } from './address.ts';

/** A server, and how it is logged in to. What talks to it is loaded when it is used. */
export interface ServerAddress {
  readonly address: BackupAddress;
  /** Where somebody gave one. */
  readonly password: string | undefined;
  /** What identifies the source. */
  readonly path: string;
}

/** How one method reads: what is different between them. */
export type Ways = Omit<Source, 'kind' | 'typed' | 'paths'>;
