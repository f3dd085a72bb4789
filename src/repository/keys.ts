/** The keys of a repository: each opens the same master key with another password. */
import { isError, RespaldoError } from '../errors.ts';
import type { RepositoryContext } from './context.ts';
import type { Id } from './format/id.ts';
import { createKeyFile, describeKeyFile, type KeyDerivation, type KeyOwner, openKeyFile } from './format/key.ts';
import type { KeyInfo } from './repository.ts';
import { withLock } from './storage/locks.ts';
import type { Objects } from './storage/objects.ts';

export async function listKeys(
  { objects }: RepositoryContext,
  current: Id,
  signal: AbortSignal,
): Promise<readonly KeyInfo[]> {
  const keys: KeyInfo[] = [];
  for await (const { id } of objects.list('key', signal)) {
    keys.push({ id, current: id === current, ...(await describe(objects, id, signal)) });
  }
  return keys.sort((a, b) => (`${a.created} ${a.id}` < `${b.created} ${b.id}` ? -1 : 1));
}

/** A damaged key is listed as well: it can be removed. */
async function describe(objects: Objects, id: Id, signal: AbortSignal): Promise<Omit<KeyInfo, 'id' | 'current'>> {
  try {
    return describeKeyFile(await objects.load('key', id, signal));
  } catch (error) {
    if (!isError(error, 'repository-damaged')) throw error;
    return { username: '', hostname: '', created: '', damaged: true };
  }
}

/** @returns the new key's id */
export function addKey(
  context: RepositoryContext,
  password: string,
  owner: KeyOwner,
  derivation: KeyDerivation | undefined,
  signal: AbortSignal,
): Promise<Id> {
  const { objects, clock } = context;
  return withLock(objects, { exclusive: false, clock, signal }, (signal) =>
    writeKey(context, password, owner, derivation, signal),
  );
}

/** @throws RespaldoError `usage` for the key in use, the last one, or one that is not there */
export function removeKey(context: RepositoryContext, id: Id, current: Id, signal: AbortSignal): Promise<void> {
  const { objects, clock } = context;
  return withLock(objects, { exclusive: true, clock, signal }, async (signal) => {
    const ids: Id[] = [];
    for await (const listed of objects.list('key', signal)) ids.push(listed.id);
    const [match, ...others] = ids.filter((listed) => listed.startsWith(id));
    if (match === undefined || id === '') throw refusal(`there is no key ${id}`);
    if (others.length > 0) throw refusal(`the key id ${id} fits ${others.length + 1} keys`);
    if (match === current)
      throw refusal(`key ${match} is the one in use`, 'Open the repository with another password.');
    if (ids.length === 1) throw refusal(`key ${match} is the last one`, 'Without it nobody could open the repository.');
    await objects.remove('key', match, signal);
  });
}

/**
 * The new key is written, read back and tried before the old one goes.
 * @param about what differs from the old one
 * @returns the new key's id
 */
export function changePassword(
  context: RepositoryContext,
  password: string,
  about: Partial<KeyOwner>,
  current: Id,
  derivation: KeyDerivation | undefined,
  signal: AbortSignal,
): Promise<Id> {
  const { objects, clock } = context;
  return withLock(objects, { exclusive: true, clock, signal }, async (signal) => {
    const { username, hostname } = describeKeyFile(await objects.load('key', current, signal));
    const id = await writeKey(context, password, { username, hostname, ...about }, derivation, signal);
    await objects.remove('key', current, signal);
    return id;
  });
}

async function writeKey(
  { objects, key, clock }: RepositoryContext,
  password: string,
  owner: KeyOwner,
  derivation: KeyDerivation | undefined,
  signal: AbortSignal,
): Promise<Id> {
  const file = await createKeyFile(key, password, { ...owner, created: clock.now() }, derivation);
  const id = await objects.save('key', file, signal);
  const opened = await openKeyFile(await objects.load('key', id, signal), password);
  if (opened === undefined) throw new RespaldoError('internal', `the new key ${id} does not open with its password`);
  return id;
}

function refusal(what: string, hint = '`respaldo key list` lists the keys.'): RespaldoError {
  return new RespaldoError('usage', what, { hint });
}
