/** The kinds of stores. A new one is a file and a line in the list. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { systemClock } from '../clock.ts';
import type { StoreCredentials } from '../domain/plan.ts';
import { RespaldoError } from '../errors.ts';
import type { CacheInfo } from './caches.ts';
import type { StoreLimits } from './limited.ts';
import { NETWORK_PATIENCE, type Patience } from './patience.ts';
import type { NearStore, Store, Writer } from './store.ts';

export interface StoreOptions {
  /** The folder that relative addresses start from: an absolute path. Default: the working folder. */
  readonly workingDirectory?: string;
  readonly limits?: StoreLimits;
  /** The keys of a store that asks for some; absent: those of the environment. */
  readonly credentials?: StoreCredentials;
  /** Whether an address may ask for objects that nobody can remove for a time: not of a repository, which removes locks. */
  readonly mayLock?: boolean;
  /** Of objects on this machine: see {@link Store.sweep}. */
  readonly writer?: Writer;
  /** Told of each failure that is going to be tried again, and in how many milliseconds. */
  readonly onRetry?: (error: RespaldoError, delay: number) => void;
}

/** What an address is read with. */
interface Opening {
  /** The whole address. */
  readonly url: string;
  readonly workingDirectory: string;
  readonly credentials?: StoreCredentials;
  readonly mayLock: boolean;
  readonly writer?: Writer;
}

interface StoreKind {
  readonly schemes: readonly string[];
  readonly patience: Patience;
  /** @param rest what follows the scheme and its colon. */
  open(rest: string, opening: Opening): Promise<Store>;
}

const KINDS: readonly StoreKind[] = [
  {
    schemes: ['local', 'file'],
    // A disk that fails seldom recovers; a network mount or a crowded machine may.
    patience: { attempts: 3, firstDelay: 50, longestDelay: 1000 },
    open: async (rest, { url, workingDirectory, writer }) => {
      const { LocalStore } = await import('./local/local.ts');
      const folder = url.startsWith('file:') ? fileUrlPath(url) : resolve(workingDirectory, expandHome(rest));
      return new LocalStore(folder, systemClock, writer);
    },
  },
  {
    schemes: ['sftp'],
    patience: NETWORK_PATIENCE,
    open: async (rest, { workingDirectory }) => {
      const [{ SftpStore }, { parseSftpAddress }] = await Promise.all([
        import('./sftp/sftp.ts'),
        import('./sftp/address.ts'),
      ]);
      return new SftpStore(parseSftpAddress(rest), workingDirectory);
    },
  },
  {
    schemes: ['s3'],
    // The large ones ask for patience when they are busy.
    patience: NETWORK_PATIENCE,
    open: async (rest, { workingDirectory, credentials, mayLock }) => {
      const [{ S3Store }, { parseS3Address }] = await Promise.all([import('./s3/s3.ts'), import('./s3/address.ts')]);
      if (credentials !== undefined && !('accessKeyId' in credentials)) throw unsuitable('S3', KEYS);
      const address = parseS3Address(rest);
      if (address.keeping.lock !== undefined && !mayLock) throw unlockable();
      return new S3Store(address, workingDirectory, { ...(credentials && { credentials }) });
    },
  },
  {
    schemes: ['webdav'],
    patience: NETWORK_PATIENCE,
    open: async (rest, { workingDirectory, credentials }) => {
      const [{ WebDavStore }, { parseWebDavAddress }] = await Promise.all([
        import('./webdav/webdav.ts'),
        import('./webdav/address.ts'),
      ]);
      if (credentials !== undefined && !('password' in credentials)) throw unsuitable('WebDAV', 'a password');
      return new WebDavStore(parseWebDavAddress(rest), workingDirectory, credentials);
    },
  },
];

const KEYS = 'access-key-id and secret-access-key';

function unsuitable(kind: string, wanted: string): RespaldoError {
  return new RespaldoError('config', `the credentials are not those of a ${kind} store`, {
    hint: `A ${kind} store wants ${wanted} under credentials: in respaldo.yaml.`,
  });
}

function unlockable(): RespaldoError {
  return new RespaldoError('usage', 'the S3 address asks for an object lock, which is for archives alone', {
    hint: 'A repository removes its own locks and what nobody needs any more. Leave object-lock out, and let the bucket keep versions.',
  });
}

/** What restic knows besides, and people will try. */
const OTHERS = ['rest', 'rclone', 'b2', 'gs', 'azure', 'swift'];

const PLACES =
  'A repository lies in a folder of this machine (`./backups`, `/srv/backups`, `local:backups`), in one of a server (`sftp:user@host:/srv/backups`, `webdav:https://user@host/backups`), or in a bucket (`s3:host/bucket/folder`). A network share works when it is mounted.';

/**
 * The store at `url`: a folder (`./folder`, `/folder`, `~/folder`, `local:folder`, `file:///folder`), one of a server
 * (`sftp:user@host:/folder`, `webdav:https://user@host/folder`), or a bucket (`s3:host/bucket/prefix`). Nothing is opened or made yet. Failures that may
 * pass are tried again.
 * @throws RespaldoError `usage` if this is no address of a store.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  let store = await openBareStore(url, options);
  if (options.limits !== undefined) {
    const { LimitedStore } = await import('./limited.ts');
    store = new LimitedStore(store, options.limits);
  }
  const { RetryingStore } = await import('./retrying.ts');
  return new RetryingStore(store, kindOf(url).kind.patience, { ...(options.onRetry && { onRetry: options.onRetry }) });
}

/** The same with nothing around it: each failure is seen. @throws as {@link openStore} */
export async function openBareStore(
  url: string,
  {
    workingDirectory = process.cwd(),
    credentials,
    mayLock = false,
    writer,
  }: Pick<StoreOptions, 'workingDirectory' | 'credentials' | 'mayLock' | 'writer'>,
): Promise<Store> {
  const { kind, rest } = kindOf(url);
  return kind.open(rest, {
    url,
    workingDirectory,
    mayLock,
    ...(credentials && { credentials }),
    ...(writer && { writer }),
  });
}

function kindOf(url: string): { kind: StoreKind; rest: string } {
  const { scheme, rest } = splitAddress(url);
  const kind = KINDS.find((one) => one.schemes.includes(scheme));
  if (kind === undefined) throw unknownScheme(scheme);
  return { kind, rest };
}

/** A path is what starts like one, or has no colon; a name with a colon wants `./` or `local:` before it. */
function splitAddress(url: string): { scheme: string; rest: string } {
  if (url === '' || url.includes('\0')) {
    throw new RespaldoError('usage', 'the address of the repository is empty or has a NUL byte', {
      hint: PLACES,
    });
  }
  const colon = url.indexOf(':');
  if (colon < 0 || /^(\.{0,2}|~)\//.test(url)) return { scheme: 'local', rest: url };
  const rest = url.slice(colon + 1);
  if (rest === '') throw new RespaldoError('usage', `"${url}" names no place for the repository`, { hint: PLACES });
  return { scheme: url.slice(0, colon).toLowerCase(), rest };
}

/** Says the scheme alone: the rest of an address may hold a password. */
function unknownScheme(scheme: string): RespaldoError {
  if (OTHERS.includes(scheme)) {
    return new RespaldoError('usage', `${scheme}: stores are not part of this version of Respaldo`, {
      hint: PLACES,
    });
  }
  return new RespaldoError('usage', `"${scheme}:" is no kind of store`, {
    hint: `A folder whose name has a colon is written with "./" or "local:" before it. ${PLACES}`,
  });
}

function fileUrlPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new RespaldoError('usage', `"${url}" is no file address of this machine`, {
      hint: 'It has three slashes and an absolute path: file:///srv/backups',
      cause: error,
    });
  }
}

/** Shells do this before we see it; configuration files do not. */
function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

export type { CacheInfo } from './caches.ts';

/** Whether and where to keep what is read again and again. */
export interface CacheOptions {
  /** The folder of all caches. */
  readonly folder: string;
  /** Told once why nothing is kept, or nothing more. */
  readonly onProblem: (message: string) => void;
}

/** The store with the repository's cache before it. One of this machine needs none: it is its own. */
export async function withCache(store: Store, repositoryId: string, options: CacheOptions): Promise<NearStore> {
  if (store.localPath?.('config') !== undefined) return store;
  const onProblem = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    options.onProblem(`the cache in ${options.folder} cannot be used: ${reason}`);
  };
  try {
    const [{ openCache }, { CachedStore }] = await Promise.all([import('./caches.ts'), import('./cached.ts')]);
    return new CachedStore(store, await openCache(options.folder, repositoryId, systemClock, onProblem));
  } catch (error) {
    onProblem(error);
    return store;
  }
}

/** The caches in a folder, the one that was used last at the end. */
export async function cachesIn(folder: string): Promise<readonly CacheInfo[]> {
  const { listCaches } = await import('./caches.ts');
  return listCaches(folder);
}

/** Removes the caches that nobody used for so many days. @returns the ids of their repositories */
export async function removeOldCachesIn(folder: string, days: number): Promise<readonly string[]> {
  const { removeOldCaches } = await import('./caches.ts');
  return removeOldCaches(folder, days, systemClock);
}
