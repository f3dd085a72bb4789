import { createHash } from 'node:crypto';
import { z } from 'zod';
import { decodeName } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import { parseLsn, segmentNames } from './lsn.ts';

/** What was seen of a file while it passed: what the manifest must say too. */
export interface SeenFile {
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

const lsn = z.string().regex(/^[0-9A-F]+\/[0-9A-F]+$/i);
const schema = z.object({
  'PostgreSQL-Backup-Manifest-Version': z.union([z.literal(1), z.literal(2)]),
  Files: z.array(
    z.object({
      Path: z.string().optional(),
      'Encoded-Path': z.string().optional(),
      Size: z.number(),
      'Checksum-Algorithm': z.literal('SHA256'),
      Checksum: z.string(),
    }),
  ),
  'WAL-Ranges': z.array(z.object({ Timeline: z.number(), 'Start-LSN': lsn, 'End-LSN': lsn })),
  'Manifest-Checksum': z.string(),
});

export interface WalRange {
  readonly timeline: number;
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
}

export interface Manifest {
  /** By path relative to the data directory, tablespaces below `pg_tblspc/<oid>`; in the string form of `name.ts`. */
  readonly files: ReadonlyMap<string, SeenFile>;
  readonly wal: readonly WalRange[];
}

/** @throws RespaldoError `source-lost` for a manifest that does not match its own checksum or cannot be understood. */
export function parseManifest(bytes: Buffer): Manifest {
  const text = bytes.toString('utf8');
  // The manifest's checksum covers everything before the line that holds it.
  const covered = bytes.subarray(0, bytes.lastIndexOf('\n', bytes.length - 2) + 1);
  let raw: z.infer<typeof schema>;
  try {
    raw = schema.parse(JSON.parse(text));
  } catch (error) {
    throw unusable('it cannot be understood', error);
  }
  if (createHash('sha256').update(covered).digest('hex') !== raw['Manifest-Checksum'])
    throw unusable('it does not match its own checksum');
  const files = new Map<string, SeenFile>();
  for (const file of raw.Files) {
    const path = file.Path ?? decodePath(file['Encoded-Path'] ?? '');
    files.set(path, { size: file.Size, sha256: file.Checksum });
  }
  const wal = raw['WAL-Ranges'].map((range) => ({
    timeline: range.Timeline,
    start: parseLsn(range['Start-LSN']),
    end: parseLsn(range['End-LSN']),
  }));
  return { files, wal };
}

/**
 * What in the stream differs from the manifest: sentences, none when every file is equal and all WAL is there. The
 * manifest lists neither itself nor the WAL, which it describes by ranges.
 */
export function differences(manifest: Manifest, seen: ReadonlyMap<string, SeenFile>, segmentBytes: number): string[] {
  const found: string[] = [];
  for (const [path, expected] of manifest.files) {
    const actual = seen.get(path);
    if (actual === undefined) found.push(`${path} is missing`);
    else if (actual.size !== expected.size)
      found.push(`${path} has ${String(actual.size)} bytes instead of ${String(expected.size)}`);
    else if (actual.sha256 !== expected.sha256) found.push(`${path} has other content than the server read`);
  }
  for (const path of seen.keys())
    if (!manifest.files.has(path) && !path.startsWith('pg_wal/')) found.push(`${path} is not in the manifest`);
  for (const { timeline, start, end } of manifest.wal)
    for (const segment of segmentNames(timeline, start, end, segmentBytes))
      if (seen.get(`pg_wal/${segment}`)?.size !== segmentBytes)
        found.push(`WAL segment ${segment} is missing or short`);
  return found;
}

/** Names that are not UTF-8 are given as hexadecimal bytes. */
function decodePath(hex: string): string {
  return decodeName(Buffer.from(hex, 'hex'));
}

function unusable(what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('source-lost', `the base backup’s manifest is unusable: ${what}`, {
    hint: 'Nothing was stored as a snapshot. Run the backup again.',
    cause,
  });
}
