import { z } from 'zod';
import type { CredentialReferences, SecretReference, StoreCredentials } from '../domain/plan.ts';
import { secretSchema as secret, type SecretSetting } from './secret.ts';
import type { ReadSecret } from './secrets.ts';

const accessKeys = z
  .strictObject({
    'access-key-id': secret.meta({ title: 'Access key id', description: 'Who asks: AWS_ACCESS_KEY_ID elsewhere.' }),
    'secret-access-key': secret.meta({ title: 'Secret access key', description: 'Proves it: AWS_SECRET_ACCESS_KEY.' }),
    'session-token': secret
      .optional()
      .meta({ title: 'Session token', description: 'Of keys for a limited time: AWS_SESSION_TOKEN.' }),
  })
  .meta({
    title: 'Access keys',
    description: 'The keys of an S3 store. Without them those of the environment, or of ~/.aws, are used.',
  });

const password = z
  .strictObject({
    password: secret.meta({ title: 'Password', description: 'Of the user whom a WebDAV address names.' }),
  })
  .meta({ title: 'Password of a store' });

/** What a store asks for, as a configuration refers to it. */
export const credentialsSchema = z.union([accessKeys, password]).meta({
  title: 'Credentials',
  description: 'What a store asks for: the keys of S3, or the password of WebDAV.',
});

/** @param toReference makes what is relative in a secret's setting absolute */
export function toCredentials(
  setting: z.output<typeof credentialsSchema>,
  toReference: (secret: SecretSetting) => SecretReference,
): CredentialReferences {
  if ('password' in setting) return { password: toReference(setting.password) };
  const token = setting['session-token'];
  return {
    accessKeyId: toReference(setting['access-key-id']),
    secretAccessKey: toReference(setting['secret-access-key']),
    ...(token && { sessionToken: toReference(token) }),
  };
}

/** Reads what a store asks for, one after the other: a command may ask a person. */
export async function readCredentials(
  references: CredentialReferences,
  readSecret: ReadSecret,
  signal: AbortSignal,
): Promise<StoreCredentials> {
  if ('password' in references) return { password: await readSecret(references.password, signal) };
  const { accessKeyId, secretAccessKey, sessionToken } = references;
  return {
    accessKeyId: await readSecret(accessKeyId, signal),
    secretAccessKey: await readSecret(secretAccessKey, signal),
    ...(sessionToken && { sessionToken: await readSecret(sessionToken, signal) }),
  };
}
