/** Making a repository, and opening one by its password. */
import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../clock.ts';
import { isError, RespaldoError } from '../errors.ts';
import { hasObject, type NearStore, type Store } from '../stores/store.ts';
import { makeContext } from './context.ts';
import { encodeConfig, openConfig, type RepositoryConfig } from './format/config.ts';
import type { RepositoryKey } from './format/cipher.ts';
import { generateKey, Sealer } from './format/crypto.ts';
import { hashId, type Id } from './format/id.ts';
import { createKeyFile, type KeyDerivation, openKeyFile } from './format/key.ts';
import { packingOf } from './format/packing.ts';
import { randomPolynomial } from './format/polynomial.ts';
import { takeRecruits } from './head-start.ts';
import type { Lend } from './kernel/shared-lanes.ts';
import { OpenedRepository } from './opened-repository.ts';
import type { LockPolicy, PackingOptions, Repository, Soon } from './repository.ts';
import { CONFIG_KEY, listObjects, listPacks, objectKey, type ObjectType, readObject } from './storage/objects.ts';
import type { Recruits } from './workers/recruits.ts';

export interface InitOptions extends OpenOptions {
  /** Default 2. Version 1 knows no compression. */
  readonly version?: 1 | 2;
  readonly hostname: string;
  readonly username: string;
  /** Where files are cut; one repository's to share with a copy. Default: a random one. */
  readonly polynomial?: bigint;
}

export interface OpenOptions {
  readonly clock?: Clock;
  /** What opening a key that is made here costs. */
  readonly kdf?: KeyDerivation;
  /** What to do about the locks of others. */
  readonly locking?: LockPolicy;
  readonly packing?: PackingOptions;
  /** Puts a cache before the store, once the repository's id is known. Default: none. */
  readonly cache?: (store: Store, repositoryId: string) => Promise<NearStore>;
  readonly soon?: Soon;
}

/**
 * Makes a repository. The config comes last: without it there is none, and what an interrupted attempt left is no
 * hindrance.
 * @throws RespaldoError `repository-exists`, `repository-damaged` where a config is missing from what holds data
 */
export async function initRepository(
  store: Store,
  password: string,
  options: InitOptions,
  signal: AbortSignal,
): Promise<Repository> {
  const { version = 2, polynomial, hostname, username, clock = systemClock, kdf } = options;
  await store.create(signal);
  const leftovers = await requireVacant(store, signal);
  const key = generateKey();
  const file = await createKeyFile(key, password, { hostname, username, created: clock.now() }, kdf);
  const keyId = hashId(file);
  if (store.writeNew === undefined) await removeKeys(store, leftovers, signal);
  await store.write(objectKey('key', keyId), file, signal);
  const config = { version, id: randomBytes(32).toString('hex'), polynomial: polynomial ?? randomPolynomial() };
  const sealed = new Sealer(key).seal(encodeConfig(config));
  if (store.writeNew === undefined) await store.write(CONFIG_KEY, sealed, signal);
  else await claim(store, sealed, { keyId, leftovers }, signal);
  return openWith(store, { keyId, key, config }, options);
}

/** @throws RespaldoError `repository-missing`, `wrong-password`, `repository-damaged`, `repository-unsupported` */
export async function openRepository(
  store: Store,
  password: string,
  options: OpenOptions,
  signal: AbortSignal,
): Promise<Repository> {
  const sealedConfig = await readConfig(store, signal);
  const recruits = recruit(options.soon);
  try {
    return await openWith(store, await unlock(store, password, sealedConfig, signal, recruits), {
      ...options,
      recruits,
    });
  } catch (error) {
    await recruits?.close();
    throw error;
  }
}

/** Begins with what needs no key: threads, and modules of this one. */
function recruit(soon: Soon | undefined): Recruits | undefined {
  if (soon === undefined) return undefined;
  const recruits = takeRecruits(soon);
  meanwhile(soon === 'save' ? import('./archiver/archiver.ts') : import('./restorer/restore.ts'));
  return recruits;
}

/** What fails now will fail again when it is asked for, and be told then. */
function meanwhile(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

interface Unlocked {
  readonly keyId: Id;
  readonly key: RepositoryKey;
  readonly config: RepositoryConfig;
}

async function openWith(
  store: Store,
  { keyId, key, config }: Unlocked,
  options: OpenOptions & { readonly recruits?: Recruits | undefined },
): Promise<Repository> {
  const { clock = systemClock, kdf, locking = {}, cache = (it: Store) => Promise.resolve(it), recruits } = options;
  const nearby = await cache(store, config.id);
  const packing = packingOf(config.version, options.packing);
  const parts = { store, nearby, key, config, clock, locking, packing, recruits };
  return new OpenedRepository(makeContext(parts), keyId, kdf);
}

async function readConfig(store: Store, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await store.read(CONFIG_KEY, undefined, signal);
  } catch (error) {
    if (!isError(error, 'store-missing')) throw error;
    if (await hasAny(store, ['key', 'snapshot', 'index'], signal)) throw configMissing(store, error);
    const why = error.hint === undefined ? '' : `: ${error.message}`;
    throw new RespaldoError('repository-missing', `there is no repository at ${store.location}${why}`, {
      hint: error.hint ?? 'Check the address, or make one with `respaldo init`.',
      cause: error,
    });
  }
}

/** Tries key after key. A damaged one does not matter if another opens. */
async function unlock(
  store: Store,
  password: string,
  config: Uint8Array,
  signal: AbortSignal,
  recruits?: Recruits,
): Promise<Unlocked> {
  const lend: Lend = (lanes) => recruits?.lend(lanes);
  let failure: RespaldoError | undefined;
  let tried = 0;
  for await (const { id } of listObjects(store, 'key', signal)) {
    try {
      const key = await openKeyFile(await readObject(store, 'key', id, signal), password, lend);
      tried += 1;
      if (key !== undefined) return { keyId: id, key, config: openConfig(config, new Sealer(key)) };
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      failure ??= error;
    }
  }
  if (tried > 0 && failure === undefined) throw wrongPassword(store);
  throw failure ?? keysMissing(store);
}

/** Where several make one at once, the config of one of them counts, and its key alone stays. */
async function claim(
  store: Store,
  config: Uint8Array,
  { keyId, leftovers }: { readonly keyId: Id; readonly leftovers: readonly Id[] },
  signal: AbortSignal,
): Promise<void> {
  if ((await store.writeNew?.(CONFIG_KEY, config, signal)) === false) {
    // It may be ours: an answer can be lost.
    const there = await store.read(CONFIG_KEY, undefined, signal).catch((error: unknown) => {
      if (isError(error, 'store-missing')) return undefined;
      throw error;
    });
    if (there === undefined || Buffer.compare(there, config) !== 0) {
      await removeKeys(store, [keyId], signal);
      throw repositoryExists(store);
    }
  }
  await removeKeys(store, leftovers, signal);
}

async function removeKeys(store: Store, ids: readonly Id[], signal: AbortSignal): Promise<void> {
  for (const id of ids) await store.remove(objectKey('key', id), signal);
}

/** @returns keys. Without anything else they are the rest of an interrupted `init`, and of no use to anybody. */
async function requireVacant(store: Store, signal: AbortSignal): Promise<readonly Id[]> {
  if (await hasObject(store, CONFIG_KEY, signal)) throw repositoryExists(store);
  if ((await hasAny(store, ['snapshot', 'index'], signal)) || !(await isEmpty(listPacks(store, signal))))
    throw configMissing(store);
  return (await Array.fromAsync(listObjects(store, 'key', signal))).map(({ id }) => id);
}

async function hasAny(store: Store, types: readonly ObjectType[], signal: AbortSignal): Promise<boolean> {
  for (const type of types) if (!(await isEmpty(listObjects(store, type, signal)))) return true;
  return false;
}

async function isEmpty(items: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of items) return false;
  return true;
}

function repositoryExists(store: Store): RespaldoError {
  return new RespaldoError('repository-exists', `there is a repository at ${store.location} already`, {
    hint: 'Use it as it is, or choose another place.',
  });
}

function wrongPassword(store: Store): RespaldoError {
  return new RespaldoError('wrong-password', `the password opens no key of the repository at ${store.location}`, {
    hint: 'Check the password, and that it is the one of this repository.',
  });
}

function configMissing(store: Store, cause?: unknown): RespaldoError {
  return new RespaldoError(
    'repository-damaged',
    `the repository at ${store.location} is incomplete: its config is missing`,
    {
      hint: 'If `respaldo init` was interrupted here, run it again. Otherwise restore the file `config` from a copy.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

function keysMissing(store: Store): RespaldoError {
  return new RespaldoError(
    'repository-damaged',
    `the repository at ${store.location} is incomplete: it has a config but no keys`,
    { hint: 'Nobody can open it without a key: restore the folder `keys` from a copy of the repository.' },
  );
}
