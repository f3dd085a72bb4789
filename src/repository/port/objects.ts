/** A blob as an index lists it; one that lies in several packs is listed for each. Bytes as stored. */
export interface StoredBlob {
  readonly type: 'data' | 'tree';
  readonly id: string;
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  /** 0: stored uncompressed. */
  readonly uncompressedLength: number;
}

/** What is stored one object a file. */
export type StoredType = 'key' | 'lock' | 'snapshot' | 'index' | 'pack';

export interface ListedObject {
  readonly id: string;
  /** Bytes as stored. */
  readonly size: number;
}

export interface ShownObject {
  readonly id: string;
  readonly bytes: Uint8Array;
}

export interface LockInfo {
  readonly id: string;
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
}

export interface KeyInfo {
  readonly id: string;
  readonly current: boolean;
  readonly username: string;
  readonly hostname: string;
  readonly created: string;
  /** Its file cannot be read: nothing is known of it, and it opens nothing. */
  readonly damaged?: true;
}
