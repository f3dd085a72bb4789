import { RespaldoError } from '../errors.ts';
import type { ReadStore } from '../stores/store.ts';
import type { Keys, Manifest } from './archive.ts';
import { Checksum } from './checksum.ts';
import { decompressed } from './compression.ts';
import { sameBytes } from './copy.ts';
import { decrypted } from './encryption.ts';

/** The stored bytes. @throws RespaldoError `source-damaged` at the end if they are not those that were written */
export function storedContent(
  store: ReadStore,
  key: string,
  { stored }: Pick<Manifest, 'stored'>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  return sameBytes(store, key, stored, signal);
}

/**
 * The plain bytes of a file, from its stored ones. What comes is not to be used before it has ended by itself: then its
 * checksum was the manifest's.
 * @throws RespaldoError `wrong-password` that says which key is needed, `source-damaged`, `tool-missing`
 */
export async function* plainContent(
  stored: AsyncIterable<Uint8Array>,
  manifest: Manifest,
  keys: Keys,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const sum = new Checksum();
  const { compression, encryption, plain } = manifest;
  yield* sum.of(decompressed(decrypted(stored, encryption, keys, signal), compression.name, signal));
  const { bytes, sha256 } = sum.end();
  if (bytes === plain.bytes && sha256 === plain.sha256) return;
  throw new RespaldoError('source-damaged', `what ${manifest.file} holds is not what was put into it`, {
    hint: `It has ${String(bytes)} bytes and had ${String(plain.bytes)}, or its SHA-256 differs. Use another copy, or an older file.`,
  });
}
