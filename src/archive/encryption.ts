/** How an archive's files are encrypted, and what it takes to read them again. Holds secrets: never logged. */
import type { Encryption, EncryptionRecord, Keys } from './archive.ts';
import { ageDecrypted, ageEncrypted } from './age.ts';
import { gpgDecrypted, gpgEncrypted } from './gpg.ts';

/**
 * @param onTaken told of each piece of the content that is not needed any more, unless it is handed on as it is
 * @throws RespaldoError `tool-missing`, `command-failed`
 */
export function encrypted(
  content: AsyncIterable<Uint8Array>,
  encryption: Encryption | undefined,
  signal: AbortSignal,
  onTaken?: (piece: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  if (encryption === undefined) return content;
  return encryption.tool === 'gpg'
    ? gpgEncrypted(content, encryption, signal, onTaken)
    : ageEncrypted(content, encryption, signal, onTaken);
}

/**
 * The content as it was before it was encrypted, authenticated piece by piece or at its end: what has come is not to be
 * used before it has ended.
 * @throws RespaldoError `wrong-password` that says which key is needed, `source-damaged`
 */
export function decrypted(
  content: AsyncIterable<Uint8Array>,
  record: EncryptionRecord | undefined,
  keys: Keys,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (record === undefined) return content;
  return record.tool === 'gpg' ? gpgDecrypted(content, record, keys, signal) : ageDecrypted(content, record, keys);
}

/** What the manifest tells of it: no secret. */
export function recordOf(encryption: Encryption): EncryptionRecord {
  const { tool } = encryption;
  const name = encryption.name === undefined ? {} : { name: encryption.name };
  if ('passphrase' in encryption) return { tool, passphrase: true, ...name };
  return tool === 'gpg'
    ? {
        tool,
        recipients: encryption.recipients.map(({ fingerprint, user }) => `${fingerprint} ${user}`.trim()),
        ...name,
      }
    : { tool, recipients: [...encryption.recipients], ...name };
}

/** How a person decrypts standard input. */
export function decryptCommand(record: EncryptionRecord | undefined): string | undefined {
  if (record === undefined) return undefined;
  if (record.tool === 'gpg') return 'gpg --decrypt';
  return record.passphrase === true ? 'age --decrypt' : 'age --decrypt --identity key.txt';
}
