import type { CompressionName } from '../domain/archive.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { EncryptionRecord } from './archive.ts';
import { decompressCommand } from './compression.ts';
import { decryptCommand } from './encryption.ts';

const SEVERAL = /[|&(]/;

/**
 * The command line that restores a file with standard tools alone.
 * @param restore takes the plain bytes from its standard input: `psql shop`
 */
export function restoreCommand(
  file: string,
  compression: CompressionName,
  encryption: EncryptionRecord | undefined,
  restore: string,
): string {
  const steps = [decryptCommand(encryption), decompressCommand(compression), restore];
  const [first = restore, ...others] = steps.filter((step) => step !== undefined);
  // Of several commands only the last one would get the file.
  const begin = SEVERAL.test(first) ? `cat ${shellWord(file)} | ${first}` : `${first} < ${shellWord(file)}`;
  return [begin, ...others].join(' | ');
}
