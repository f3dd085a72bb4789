/** The words of archives: what is written, how, and where to. */
import type { Compression } from '../domain/archive.ts';
import type { Store } from '../stores/store.ts';

/** A key of the keyring that can be encrypted to. */
export interface GpgKey {
  /** Of the whole key, in hexadecimal digits. */
  readonly fingerprint: string;
  /** `Backup Team <backups@example.com>` */
  readonly user: string;
}

/** Ready to be used: secrets are read, recipients were looked at. Never logged. */
export type Encryption = { readonly name?: string } & (
  | { readonly tool: 'gpg'; readonly recipients: readonly GpgKey[]; readonly home?: string }
  | { readonly tool: 'gpg'; readonly passphrase: string }
  | { readonly tool: 'age'; readonly recipients: readonly string[] }
  | { readonly tool: 'age'; readonly passphrase: string }
);

/** What it takes to decrypt; what is absent is not at hand. Never logged. */
export interface Keys {
  /** The folder of gpg's keyring, an absolute path. Absent: gpg's own. */
  readonly gpgHome?: string;
  readonly passphrase?: string;
  /** Secret keys of age: `AGE-SECRET-KEY-…`. */
  readonly identities?: readonly string[];
}

/** What becomes of plain bytes before they are stored. */
export interface Steps {
  readonly compression: Compression;
  readonly encryption?: Encryption;
}

/** Where a file is written to. */
export interface ArchivePlace {
  /** Of the configuration. */
  readonly archive: string;
  readonly store: Store;
  /** Of the names of its files. */
  readonly template: string;
  readonly steps: Steps;
  /** Where each file is made before it is sent. Absent: it is sent while it is made. */
  readonly temp?: Store;
}
