import { z } from 'zod';
import { COMPRESSIONS } from '../domain/archive.ts';
import { RespaldoError } from '../errors.ts';

/** Of a file's key: its manifest lies beside it. */
const ENDING = '.manifest.json';
/** Bytes. Far more than one takes. */
const LARGEST = 1024 * 1024;

const sum = z.object({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const encryptionRecord = z.object({
  tool: z.enum(['gpg', 'age']),
  /** Of the configuration that wrote it. */
  name: z.string().optional(),
  /** Public keys, or fingerprints with the names of their owners. */
  recipients: z.array(z.string()).optional(),
  passphrase: z.literal(true).optional(),
});

const manifestSchema = z.object({
  format: z.literal(1),
  /** The last part of the file's key. */
  file: z.string().min(1),
  plan: z.string(),
  /** `postgres`, `mysql`, `directory`: who can restore it. */
  source: z.string(),
  /** Of the database or folder. */
  database: z.string(),
  /** Of the plain content: `sql`, `tar`. */
  extension: z.string(),
  hostname: z.string(),
  /** When the run began: the same for all files of one run. ISO 8601. */
  time: z.iso.datetime(),
  /** The same for all files of one run. */
  run: z.string(),
  program: z.string(),
  plain: sum,
  stored: sum,
  compression: z.object({ name: z.enum(COMPRESSIONS), level: z.int().optional() }),
  encryption: encryptionRecord.optional(),
  /** Programs and servers, by name. */
  versions: z.record(z.string(), z.string()),
  facts: z.record(z.string(), z.string()),
  /** Of a file that others build upon, or that builds upon others: all of them, in order, make a whole. */
  chain: z.object({ id: z.string(), level: z.int().min(0) }).optional(),
  /** The command line that restores it by hand, in the folder where the file lies. */
  restore: z.string(),
});

/** What is said of an archive's file in the small one beside it. */
export type Manifest = z.output<typeof manifestSchema>;
export type EncryptionRecord = z.output<typeof encryptionRecord>;

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
