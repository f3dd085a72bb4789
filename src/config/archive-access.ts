import type { Encryption, Keys } from '../archive/archive.ts';
import { findGpgKeys, requireAgeRecipients } from '../archive/index.ts';
import type { EncryptionReference } from '../domain/archive.ts';
import { RespaldoError } from '../errors.ts';
import type { ReadSecret } from './secrets.ts';

/**
 * The encryption, ready to be used: its passphrase is read, its recipients were looked at.
 * @throws RespaldoError `config` for a key that cannot be encrypted to, and what reading a secret throws
 */
export async function readyEncryption(
  reference: EncryptionReference & { readonly name?: string },
  readSecret: ReadSecret,
  signal: AbortSignal,
): Promise<Encryption> {
  const named = reference.name === undefined ? {} : { name: reference.name };
  if ('passphrase' in reference) {
    const passphrase = oneLine(await readSecret(reference.passphrase, signal));
    return reference.tool === 'gpg' ? { tool: 'gpg', passphrase, ...named } : { tool: 'age', passphrase, ...named };
  }
  const { recipients } = reference;
  if (reference.tool === 'age') {
    await requireAgeRecipients(recipients);
    return { tool: 'age', recipients, ...named };
  }
  const { home } = reference;
  const keys = await findGpgKeys(recipients, home, signal);
  return { tool: 'gpg', recipients: keys, ...(home !== undefined && { home }), ...named };
}

/** What the configuration has to decrypt with. @throws what reading a secret throws */
export async function readKeys(
  reference: EncryptionReference | undefined,
  readSecret: ReadSecret,
  signal: AbortSignal,
): Promise<Keys> {
  if (reference === undefined) return {};
  if ('passphrase' in reference) return { passphrase: oneLine(await readSecret(reference.passphrase, signal)) };
  if (reference.tool === 'gpg') return reference.home === undefined ? {} : { gpgHome: reference.home };
  const { identity } = reference;
  return identity === undefined ? {} : { identities: identitiesOf(await readSecret(identity, signal)) };
}

/** The secret keys in the text of a key file. @throws RespaldoError `config` where there is none */
export function identitiesOf(text: string): readonly string[] {
  const found = text.match(/AGE-SECRET-KEY-[A-Z0-9-]+/g);
  if (found !== null) return found;
  throw new RespaldoError('config', 'the identity of age holds no secret key', {
    hint: 'It is a file as age-keygen writes it, with a line AGE-SECRET-KEY-1…',
  });
}

/** Both programs read one line. */
function oneLine(passphrase: string): string {
  if (!/[\r\n]/.test(passphrase)) return passphrase;
  throw new RespaldoError('config', 'the passphrase of an encryption has several lines', {
    hint: 'It has to be one line.',
  });
}
