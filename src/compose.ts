/** The only file that wires concrete parts together. Everything is loaded when it is first used. */
import { join } from 'node:path';
import type { ArchivePlace } from './archive/archive.ts';
import type { ArchiveListing } from './archive/index.ts';
import type { Catalog } from './catalog/catalog.ts';
import { systemClock, type Clock } from './clock.ts';
import type { PlaceAccess, RepositoryAccess } from './config/repository.ts';
import type { Environment, ReadSecret } from './config/secrets.ts';
import type { ArchiveDestination } from './domain/archive.ts';
import type { DetectionScope } from './domain/detection.ts';
import type { Plan } from './domain/plan.ts';
import { targetPath, type RuntimeTarget } from './domain/runtime-target.ts';
import { isError, RespaldoError } from './errors.ts';
import type { StoppedJournal } from './journal/journal.ts';
import type { DetectPorts } from './operations/detect.ts';
import type { LockPolicy, PackingOptions, Repository, Soon } from './repository/repository.ts';
import type { ContainerEngine } from './runtimes/container-engine.ts';
import type { Runtime, Sandbox, SandboxRequest } from './runtimes/runtime.ts';
import type { StreamOptions } from './sources/index.ts';
import type { Source, SourceKind } from './sources/source.ts';
import type { CacheInfo, CacheOptions } from './stores/index.ts';
import type { Store } from './stores/store.ts';

export type { StreamOptions };

/** Who opens a repository, and from where. */
export interface OpenOptions {
  /** Where a relative address starts from: an absolute path. */
  readonly workingDirectory: string;
  /** Told of each failure of the store that is going to be tried again. */
  readonly onRetry?: (error: RespaldoError) => void;
  /** What to do about the locks of others. */
  readonly locking?: LockPolicy;
  /** How new packs are made. */
  readonly packing?: PackingOptions;
  /** What to keep on this machine of a store that lies elsewhere. Default: nothing. */
  readonly cache?: CacheOptions;
  /** What is going to be asked for first, so that it gets ready early. */
  readonly soon?: Soon;
}

/** Who opens an archive, and from where. */
export interface ArchiveOptions {
  /** Where a relative address starts from: an absolute path. */
  readonly workingDirectory: string;
  readonly readSecret: ReadSecret;
  /** Told of each failure of the store that is going to be tried again. */
  readonly onRetry?: (error: RespaldoError) => void;
}

/** Who makes a repository, and how. */
export interface InitOptions extends OpenOptions {
  readonly version?: 1 | 2;
  readonly hostname: string;
  readonly username: string;
  /** Where files are cut: that of another repository, so that copies between the two share their space. */
  readonly polynomial?: bigint;
}

/** What was begun with: else nothing has to be loaded to end it. */
const prepared = new Set<Soon>();

/** Begins with what a repository will want that is going to be opened for this. */
export async function prepareFor(soon: Soon): Promise<void> {
  prepared.add(soon);
  const { headStart } = await import('./repository/index.ts');
  headStart(soon);
}

/** No repository is going to be opened after all. */
export async function neverMind(soon: Soon): Promise<void> {
  if (!prepared.delete(soon)) return;
  const { endHeadStart } = await import('./repository/index.ts');
  await endHeadStart(soon);
}

/**
 * Opens the repository and its store; `close()` closes both.
 * @throws RespaldoError `repository-missing`, `wrong-password`, which name what was tried, and the store's.
 */
export async function openRepositoryAt(
  access: RepositoryAccess,
  options: OpenOptions,
  signal: AbortSignal,
): Promise<Repository> {
  const { openRepository } = await import('./repository/index.ts');
  const { withCache } = await import('./stores/index.ts');
  const { cache: kept, locking, packing, soon } = options;
  const cache = kept && ((store: Store, repositoryId: string) => withCache(store, repositoryId, kept));
  return withStore(access, options, (store) =>
    openRepository(
      store,
      access.password,
      { ...(locking && { locking }), ...(packing && { packing }), ...(cache && { cache }), ...(soon && { soon }) },
      signal,
    ),
  );
}

/** Makes a new repository and opens it. @throws RespaldoError `repository-exists`, and the store's. */
export async function initRepositoryAt(
  access: RepositoryAccess,
  { version = 2, hostname, username, polynomial, ...options }: InitOptions,
  signal: AbortSignal,
): Promise<Repository> {
  const { initRepository } = await import('./repository/index.ts');
  return withStore(access, options, (store) =>
    initRepository(
      store,
      access.password,
      { version, hostname, username, ...(polynomial !== undefined && { polynomial }) },
      signal,
    ),
  );
}

/**
 * The plan's sources, with their passwords: its folders together are one, each database is one. Nothing is connected
 * yet.
 * @param env where an engine that has volumes is looked for
 * @throws RespaldoError `usage` for an address that nobody understands, and what reading a secret throws.
 */
export async function openSources(
  plan: Plan,
  readSecret: ReadSecret,
  signal: AbortSignal,
  env: Environment,
): Promise<readonly Source[]> {
  const { openDirectories, sourceFor } = await import('./sources/index.ts');
  const place = targetPath(plan.runtime ?? { kind: 'host' });
  const shared = {
    workingDirectory: plan.folder,
    selection: plan.selection,
    ...(plan.reading && { reading: plan.reading }),
    acceptDamagedPages: plan.acceptDamagedPages,
    ...(plan.sources.some(({ address }) => sourceFor(address).name === 'volume') && {
      engine: await openContainerEngine(env, contextOf(plan)),
    }),
    ...(place !== undefined && { place }),
  };
  const folders: string[] = [];
  const databases: Source[] = [];
  for (const { address, password } of plan.sources) {
    const kind = sourceFor(address);
    if (kind.name === 'directory') requireHost(plan, `the folder ${address}`);
    if (kind.name === 'volume') requireEngine(plan, address);
    if (kind.name === 'directory') folders.push(address);
    else
      databases.push(
        kind.open(address, { ...shared, ...(password && { password: await readSecret(password, signal) }) }),
      );
  }
  return [...(folders.length === 0 ? [] : [openDirectories(folders, shared)]), ...databases];
}

/** Standard input, or the output of a command, as a source. @throws RespaldoError `usage` for a name that is none */
export async function openStreamSource(options: StreamOptions): Promise<Source> {
  const { openStream } = await import('./sources/index.ts');
  return openStream(options);
}

/** Every kind of source, for restores. */
export async function sourceKinds(): Promise<readonly SourceKind[]> {
  return (await import('./sources/index.ts')).SOURCE_KINDS;
}

/** How the addresses of sources look, for people: a part of a sentence. */
export async function sourceAddresses(): Promise<string> {
  return (await import('./sources/index.ts')).ADDRESSES;
}

/** Where the tools of a restore into files run. */
export async function hostRuntime(): Promise<Runtime> {
  return openRuntimeAt({ kind: 'host' }, {}, systemClock);
}

/** A container of our own, for a drill. @param env where the engine is looked for */
export async function openSandboxOf(request: SandboxRequest, env: Environment): Promise<Sandbox> {
  return (await import('./runtimes/index.ts')).openSandbox(request, env);
}

/** Where the tools of the plan's sources run. Nothing is connected yet. */
export async function openRuntimeOf({ runtime }: Plan, env: Environment, clock: Clock): Promise<Runtime> {
  return openRuntimeAt(runtime ?? { kind: 'host' }, env, clock);
}

/** This host, a container or a pod. Nothing is connected yet. @param env where engines and clusters are looked for */
export async function openRuntimeAt(target: RuntimeTarget, env: Environment, clock: Clock): Promise<Runtime> {
  const { openRuntime } = await import('./runtimes/index.ts');
  return openRuntime(target, env, clock);
}

/** What looks for servers, and where. Nothing is connected yet. @param env where engines and clusters are looked for */
export async function openDetection(scope: DetectionScope, env: Environment, clock: Clock): Promise<DetectPorts> {
  const { openWorkloadLists } = await import('./runtimes/index.ts');
  const kinds = await sourceKinds();
  return {
    lists: await openWorkloadLists(scope, env, clock),
    finders: kinds.flatMap(({ finder }) => finder ?? []),
  };
}

/** @throws RespaldoError `usage` for a volume where the plan says that everything is in a cluster. */
function requireEngine({ runtime }: Plan, address: string): void {
  if (runtime?.kind !== 'kubernetes') return;
  throw new RespaldoError('usage', `${address} is a volume of Docker or Podman: the runtime kubernetes has none`, {
    hint: 'Leave the runtime out, or make a plan of its own for volumes.',
  });
}

/** The engine that has volumes. Nothing is connected yet. @param env where its address is looked for */
export async function openContainerEngine(env: Environment, context?: string): Promise<ContainerEngine> {
  const { openEngine } = await import('./runtimes/index.ts');
  return openEngine(context, env);
}

function contextOf({ runtime }: Plan): string | undefined {
  return runtime?.kind === 'docker' ? runtime.context : undefined;
}

/** What was stopped for backups and has to be started again. */
export async function openStoppedJournal(env: Environment, clock: Clock): Promise<StoppedJournal> {
  const { stateFolder } = await import('./catalog/index.ts');
  return (await import('./journal/index.ts')).openJournal(stateFolder(env), clock);
}

/** Whether a backup has stopped something, and has not started it yet. */
export async function hasStoppedContainers(env: Environment): Promise<boolean> {
  const { stateFolder } = await import('./catalog/index.ts');
  return !(await (await import('./journal/index.ts')).isJournalEmpty(stateFolder(env)));
}

/** @throws RespaldoError `usage` for what is always read here, where the plan says that it is elsewhere. */
function requireHost({ runtime }: Plan, what: string): void {
  if (runtime === undefined || runtime.kind === 'host') return;
  throw new RespaldoError('usage', `${what} is one of this host: the runtime ${runtime.kind} cannot read it`, {
    hint: 'A runtime says where the tools of databases run. Leave it out, or make a plan of its own for folders.',
  });
}

/**
 * A place for a repository, with nothing around it that would try again: to see what it does.
 * @param mayLock whether its address may ask for locked objects: that of an archive
 */
export async function openBareStoreAt(
  { url, credentials }: PlaceAccess,
  workingDirectory: string,
  mayLock = false,
): Promise<Store> {
  const { openBareStore } = await import('./stores/index.ts');
  return openBareStore(url, { workingDirectory, mayLock, ...(credentials && { credentials }) });
}

/** The store of an archive. Nothing is connected yet. @throws what reading a secret throws, `usage` */
export async function openArchiveStore(
  { url, credentials }: Pick<ArchiveDestination, 'url' | 'credentials'>,
  { readSecret, workingDirectory, onRetry }: ArchiveOptions,
  signal: AbortSignal,
): Promise<Store> {
  const { openStore } = await import('./stores/index.ts');
  const { readCredentials } = await import('./config/credentials.ts');
  const writer = await (await import('./journal/index.ts')).thisWriter();
  return openStore(url, {
    workingDirectory,
    mayLock: true,
    ...(writer && { writer }),
    ...(credentials && { credentials: await readCredentials(credentials, readSecret, signal) }),
    ...(onRetry && { onRetry }),
  });
}

/** Every file of an archive. @throws RespaldoError the store's */
export async function listArchiveAt(store: Store, signal: AbortSignal): Promise<ArchiveListing> {
  return (await import('./archive/index.ts')).listArchive(store, signal);
}

/** Removes a file of an archive, and its manifest. @throws RespaldoError the store's */
export async function removeFileAt(store: Store, key: string, signal: AbortSignal): Promise<void> {
  await (await import('./archive/index.ts')).removeArchivedFile(store, key, signal);
}

/** A folder of this machine, for what is restored. @param folder an absolute path */
export async function openFolder(folder: string): Promise<Store> {
  return (await import('./stores/index.ts')).openBareStore(`local:${folder}`, {});
}

/**
 * An archive to be written to: its place is made, and whom it is encrypted to was looked at.
 * @throws RespaldoError `config` for a recipient that nothing can be encrypted to, and the store's
 */
export async function openArchivePlace(
  destination: ArchiveDestination,
  options: ArchiveOptions,
  signal: AbortSignal,
): Promise<ArchivePlace> {
  const { readyEncryption } = await import('./config/archive-access.ts');
  const { name, template, compression, encryption, confirm, temp } = destination;
  const writer = await (await import('./journal/index.ts')).thisWriter();
  const ready = encryption && (await readyEncryption(encryption, options.readSecret, signal));
  const made = async (url: string, credentials?: ArchiveDestination['credentials']): Promise<Store> => {
    const store = await openArchiveStore({ url, ...(credentials && { credentials }) }, options, signal);
    await (store.makePlace ?? store.create).call(store, signal);
    return store;
  };
  return {
    archive: name,
    store: await made(destination.url, destination.credentials),
    template,
    steps: { compression, ...(ready && { encryption: ready }) },
    ...(confirm && { confirm }),
    ...(writer && { writer }),
    // Of several archives each has its own.
    ...(temp !== undefined && { temp: await made(`local:${temp}/${name}`) }),
  };
}

/** Where it is remembered what archives of folders build upon. @param env where the folder for such things is named */
export async function incrementsFolder(env: Environment): Promise<string> {
  const { stateFolder } = await import('./catalog/index.ts');
  return join(stateFolder(env), 'increments');
}

/** The memory of runs. Never throws: where it cannot be used, `warn` is told once and nothing is remembered. */
export async function openRunCatalog(env: Environment, warn: (message: string) => void): Promise<Catalog> {
  const { openCatalog } = await import('./catalog/index.ts');
  return openCatalog(env, warn);
}

/** This process, as the memory of runs is to know it; undefined where it cannot be told from others. */
export async function thisProcess(): Promise<string | undefined> {
  return (await import('./journal/index.ts')).thisProcess();
}

/** Whether the process still runs that told so of itself. */
export async function isProcessRunning(process: string): Promise<boolean> {
  return (await import('./journal/index.ts')).isRunning(process);
}

/** The caches of repositories in a folder, the one that was used last at the end. */
export async function listCaches(folder: string): Promise<readonly CacheInfo[]> {
  return (await import('./stores/index.ts')).cachesIn(folder);
}

/** Removes the caches that nobody used for so many days. @returns the ids of their repositories */
export async function removeOldCaches(folder: string, days: number): Promise<readonly string[]> {
  return (await import('./stores/index.ts')).removeOldCachesIn(folder, days);
}

async function withStore(
  access: RepositoryAccess,
  { workingDirectory, onRetry }: OpenOptions,
  open: (store: Store) => Promise<Repository>,
): Promise<Repository> {
  const { openStore } = await import('./stores/index.ts');
  const store = await openStore(access.url, {
    workingDirectory,
    ...(access.credentials && { credentials: access.credentials }),
    ...(onRetry && { onRetry }),
  });
  try {
    return await open(store);
  } catch (error) {
    await store.close();
    throw explained(error, access);
  }
}

/** Where the wrong password came from is what tells its owner which one to mend. */
function explained(error: unknown, { passwordFrom }: RepositoryAccess): unknown {
  if (!isError(error, 'wrong-password')) return error;
  return new RespaldoError('wrong-password', error.message, {
    hint: `The password came from ${passwordFrom}.`,
    context: error.context,
    cause: error,
  });
}
