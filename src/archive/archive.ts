/** The words of archives: what is written, how, and where to. */
import type { Compression, CompressionName, Confirmation } from '../domain/archive.ts';
import type { RespaldoError } from '../errors.ts';
import type { Store, SumName, Writer } from '../stores/store.ts';

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
  /** How it is made sure that a file has arrived; absent: by what the store leaves unsaid. */
  readonly confirm?: Confirmation;
  /** Who writes: by this others know what he leaves behind when he is killed. */
  readonly writer?: Writer;
  /** Where each file is made before it is sent. Absent: it is sent while it is made. */
  readonly temp?: Store;
}

/** What is known of bytes. */
export interface Sum {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** How a file was encrypted: no secret. */
export interface EncryptionRecord {
  readonly tool: 'gpg' | 'age';
  /** Of the configuration that wrote it. */
  readonly name?: string | undefined;
  /** Public keys, or fingerprints with the names of their owners. */
  readonly recipients?: readonly string[] | undefined;
  readonly passphrase?: true | undefined;
}

/** What is said of an archive's file in the small one beside it. */
export interface Manifest {
  readonly format: 1;
  /** The last part of the file's key. */
  readonly file: string;
  readonly plan: string;
  /** `postgres`, `mysql`, `directory`: who can restore it. */
  readonly source: string;
  /** Of the database or folder. */
  readonly database: string;
  /** Of the plain content: `sql`, `tar`. */
  readonly extension: string;
  readonly hostname: string;
  /** When the run began: the same for all files of one run. ISO 8601. */
  readonly time: string;
  /** The same for all files of one run. */
  readonly run: string;
  readonly program: string;
  readonly plain: Sum;
  readonly stored: Sum;
  readonly compression: { readonly name: CompressionName; readonly level?: number | undefined };
  readonly encryption?: EncryptionRecord | undefined;
  /** Programs and servers, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, string>>;
  /** Of a file that others build upon, or that builds upon others: all of them, by level, make a whole. */
  readonly chain?: Link | undefined;
  /** The command line that restores it by hand, in the folder where the file lies. */
  readonly restore: string;
}

/** Of files that build upon each other. */
export interface Link {
  readonly id: string;
  /** 0: it holds everything. */
  readonly level: number;
  /** The run of the file that this one builds upon, one level lower. */
  readonly parent?: string | undefined;
}

/** A file of an archive. */
export interface ArchivedFile {
  /** In its store. */
  readonly key: string;
  readonly manifest: Manifest;
  /** Whether it is there with the size that it should have. */
  readonly state: 'whole' | 'missing' | 'resized';
}

/** By what it is known that a file has arrived: its size alone, a sum that its place keeps of it, or all of it. */
export type Proof = 'size' | SumName | 'read';

/** What became of a file at one place. */
export type WrittenFile =
  | {
      readonly place: ArchivePlace;
      readonly key: string;
      readonly manifest: Manifest;
      /** How it was made sure that it has arrived. */
      readonly confirmedBy: Proof;
      readonly error?: undefined;
    }
  | {
      readonly place: ArchivePlace;
      readonly key: string;
      readonly error: RespaldoError;
      /** Where the finished file still lies, so that it need not be captured again. */
      readonly leftIn?: string;
    };
