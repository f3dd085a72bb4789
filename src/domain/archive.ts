/** Archives: portable files in a store, one for each database or folder. */
import type { CredentialReferences, SecretReference } from './plan.ts';

/** What is said of an archive's files: compressed by what, from the fastest to the smallest `level` of that program. */
export const COMPRESSIONS = ['none', 'gzip', 'bzip2', 'zstd', 'xz'] as const;
export type CompressionName = (typeof COMPRESSIONS)[number];

export interface Compression {
  readonly name: CompressionName;
  /** Absent: the program's own default. */
  readonly level?: number;
}

/** The levels that each program knows; `none` has none. */
export const LEVELS: Readonly<
  Record<Exclude<CompressionName, 'none'>, { readonly least: number; readonly most: number }>
> = {
  gzip: { least: 1, most: 9 },
  bzip2: { least: 1, most: 9 },
  zstd: { least: 1, most: 19 },
  xz: { least: 0, most: 9 },
};

/** How files are encrypted; secrets are references. */
export type EncryptionReference =
  | {
      readonly tool: 'gpg';
      /** Fingerprints, key ids or addresses of keys in the keyring. */
      readonly recipients: readonly string[];
      /** The folder of the keyring, an absolute path. Absent: gpg's own. */
      readonly home?: string;
    }
  | { readonly tool: 'gpg'; readonly passphrase: SecretReference }
  | {
      readonly tool: 'age';
      /** Public keys: `age1…`. */
      readonly recipients: readonly string[];
      /** The secret key, for who verifies and restores here. */
      readonly identity?: SecretReference;
    }
  | { readonly tool: 'age'; readonly passphrase: SecretReference };

/** The endings that the steps give to a file's name: `.gz.gpg`. */
export function stepsEnding(compression: CompressionName, encryption: 'gpg' | 'age' | undefined): string {
  return `${COMPRESSION_ENDINGS[compression]}${encryption === undefined ? '' : `.${encryption}`}`;
}

const COMPRESSION_ENDINGS: Readonly<Record<CompressionName, string>> = {
  none: '',
  gzip: '.gz',
  bzip2: '.bz2',
  zstd: '.zst',
  xz: '.xz',
};

/** How it is made sure that a file has arrived: by its size, by the place's own sum of it if there is one, by reading it. */
export const CONFIRMATIONS = ['size', 'checksum', 'read'] as const;
export type Confirmation = (typeof CONFIRMATIONS)[number];

/** An archive of the configuration. */
export interface ArchiveDestination {
  readonly name: string;
  /** Of the store; relative folders are absolute already. */
  readonly url: string;
  readonly credentials?: CredentialReferences;
  /** Of the names of its files: see {@link parseNameTemplate}. */
  readonly template: string;
  readonly compression: Compression;
  readonly encryption?: EncryptionReference & { readonly name: string };
  readonly confirm?: Confirmation;
  /** A folder of this machine where each file is made before it is sent, an absolute path. Absent: no such file. */
  readonly temp?: string;
}
