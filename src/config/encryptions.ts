import { z } from 'zod';
import type { EncryptionReference } from '../domain/archive.ts';
import { absolutePath, toReference } from './relative.ts';
import { secretSchema as secret } from './secret.ts';

const text = z.string().min(1, 'must not be empty');

const recipients = (whose: string, example: string) =>
  z
    .array(text)
    .min(1, 'must name at least one')
    .optional()
    .meta({ title: 'Recipients', description: `Whom files are encrypted to: ${whose}.`, examples: [[example]] });

const passphrase = secret
  .optional()
  .meta({ title: 'Passphrase', description: 'Opens the files, instead of the keys of recipients.' });

const ONE_WAY = { error: 'say how by exactly one of recipients and passphrase' };

function isOneWay({ recipients: keys, passphrase: phrase }: { recipients?: unknown; passphrase?: unknown }): boolean {
  return (keys === undefined) !== (phrase === undefined);
}

const gpg = z
  .strictObject({
    recipients: recipients('fingerprints or addresses of keys in the keyring', 'backups@example.com'),
    passphrase,
    home: text.optional().meta({
      title: 'Home',
      description: 'The folder of the keyring, relative to the folder of this configuration. Default: gpg’s own.',
    }),
  })
  .refine(isOneWay, ONE_WAY)
  .meta({ title: 'GnuPG', description: 'OpenPGP, by the program gpg.' });

const age = z
  .strictObject({
    recipients: recipients('public keys of age', 'age1…'),
    passphrase,
    identity: secret.optional().meta({
      title: 'Identity',
      description:
        'The secret key, AGE-SECRET-KEY-1…, where archives are verified and restored. Not needed for backups.',
    }),
  })
  .refine(isOneWay, ONE_WAY)
  .meta({ title: 'age', description: 'The format of age, version 1.' });

/** How an archive's files are encrypted. */
export const encryptionSchema = z
  .strictObject({ gpg: gpg.optional(), age: age.optional() })
  .refine((value) => (value.gpg === undefined) !== (value.age === undefined), {
    error: 'say by what, exactly one of gpg and age',
  })
  .meta({
    title: 'Encryption',
    description: 'How the files of archives are encrypted.',
    minProperties: 1,
    maxProperties: 1,
  });

/** @param folder of the configuration: an absolute path */
export function toEncryption(setting: z.output<typeof encryptionSchema>, folder: string): EncryptionReference {
  if (setting.gpg !== undefined) {
    const { recipients: keys, passphrase: phrase, home } = setting.gpg;
    if (phrase !== undefined) return { tool: 'gpg', passphrase: toReference(phrase, folder) };
    return { tool: 'gpg', recipients: keys ?? [], ...(home !== undefined && { home: absolutePath(home, folder) }) };
  }
  const { recipients: keys = [], passphrase: phrase, identity } = setting.age ?? {};
  if (phrase !== undefined) return { tool: 'age', passphrase: toReference(phrase, folder) };
  return { tool: 'age', recipients: keys, ...(identity && { identity: toReference(identity, folder) }) };
}
