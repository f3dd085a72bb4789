import { open } from 'node:fs/promises';
import path from 'node:path';

/** Of the servers from 13 to 18, in which what is read here lies at the same place. */
const VERSIONS = new Set([1300, 1700, 1800]);
const VERSION_AT = 8;
const WAL_LEVEL_AT = 172;
const WAL_SENDERS_AT = 188;

/** No server has more of them. */
const MOST_SENDERS = 0x3ffff;

/** What a running server says of itself in its control file. */
export interface ReplicationSettings {
  readonly walLevel: 'minimal' | 'replica' | 'logical';
  readonly walSenders: number;
}

/**
 * The settings that a server was started with and that replication needs, from its data directory.
 * @returns undefined where we may not read it, or it is of a version that nobody knows here.
 */
export async function replicationSettings(folder: string): Promise<ReplicationSettings | undefined> {
  const bytes = await beginningOf(path.join(folder, 'global/pg_control'));
  if (bytes === undefined || !VERSIONS.has(read(bytes, VERSION_AT))) return undefined;
  const walLevel = (['minimal', 'replica', 'logical'] as const)[read(bytes, WAL_LEVEL_AT)];
  const walSenders = read(bytes, WAL_SENDERS_AT);
  return walLevel === undefined || walSenders > MOST_SENDERS ? undefined : { walLevel, walSenders };
}

/** Integers are the machine's own; those on which we run have the same order. */
function read(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

async function beginningOf(file: string): Promise<Buffer | undefined> {
  try {
    await using handle = await open(file, 'r');
    const bytes = Buffer.alloc(WAL_SENDERS_AT + 4);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytesRead === bytes.length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
