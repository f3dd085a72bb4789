import { z } from 'zod';
import { COMPRESSIONS } from '../domain/archive.ts';
import { RespaldoError } from '../errors.ts';
import type { Manifest } from './archive.ts';

/** Of a file's key: its manifest lies beside it. */
const ENDING = '.manifest.json';
/** Bytes. Far more than one takes. */
const LARGEST = 1024 * 1024;

const sum = z.object({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const encryptionRecord = z.object({
  tool: z.enum(['gpg', 'age']),
  name: z.string().optional(),
  recipients: z.array(z.string()).optional(),
  passphrase: z.literal(true).optional(),
});

const manifestSchema: z.ZodType<Manifest> = z.object({
  format: z.literal(1),
  file: z.string().min(1),
  plan: z.string(),
  source: z.string(),
  /** Of the database or folder. */
  database: z.string(),
  extension: z.string(),
  hostname: z.string(),
  time: z.iso.datetime(),
  run: z.string(),
  program: z.string(),
  plain: sum,
  stored: sum,
  compression: z.object({ name: z.enum(COMPRESSIONS), level: z.int().optional() }),
  encryption: encryptionRecord.optional(),
  versions: z.record(z.string(), z.string()),
  facts: z.record(z.string(), z.string()),
  chain: z.object({ id: z.string(), level: z.int().min(0), parent: z.string().optional() }).optional(),
  restore: z.string(),
});

/** The key of the manifest of the file that has this key. */
export function manifestKey(fileKey: string): string {
  return fileKey + ENDING;
}

/** The key of the file whose manifest has this key; undefined: it is no manifest's. */
export function describedKey(key: string): string | undefined {
  return key.endsWith(ENDING) && key.length > ENDING.length ? key.slice(0, -ENDING.length) : undefined;
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** @throws RespaldoError `source-damaged` for what is no manifest of a file with this key */
export function parseManifest(bytes: Uint8Array, fileKey: string): Manifest {
  const found = manifestSchema.safeParse(bytes.length > LARGEST ? undefined : parsedJson(bytes));
  const name = fileKey.slice(fileKey.lastIndexOf('/') + 1);
  if (found.success && found.data.file === name) return found.data;
  throw new RespaldoError('source-damaged', `the manifest of ${fileKey} is damaged, or of another program`, {
    hint: 'The file itself may be whole: its name says how it was made, as in gpg --decrypt FILE | gunzip.',
  });
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
