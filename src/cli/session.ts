import { openBareStoreAt, openRepositoryAt, openRunCatalog, prepareFor, thisProcess } from '../compose.ts';
import type { Config } from '../config/config.ts';
import type { PlaceAccess, RepositoryAccess, RepositoryFlags } from '../config/repository.ts';
import type { Environment, ReadSecret } from '../config/secrets.ts';
import type { Plan } from '../domain/plan.ts';
import { isError, RespaldoError } from '../errors.ts';
import type { Recorder } from '../operations/recording.ts';
import type { LockPolicy, Repository, Soon } from '../repository/repository.ts';
import type { Globals, Invocation } from './invocation.ts';
import type { Output } from './output.ts';
import { harmless } from './printable.ts';
import { askPassword, canAsk } from './prompt.ts';

/** What is known of the world before a repository is opened: the configuration, and where secrets are read from. */
export interface Surroundings {
  readonly config: Config | undefined;
  readonly workingDirectory: string;
  readonly readSecret: ReadSecret;
  /** Default: that of this process. */
  readonly env?: Environment;
}

/** @param onContent as {@link loadConfig} knows it */
export async function surroundings(
  { globals }: Invocation,
  onContent?: (content: unknown) => Promise<void>,
): Promise<Surroundings> {
  // Loaded here, since the help of a verb needs none of it.
  const [{ loadConfig }, { secretReader }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/secrets.ts'),
  ]);
  const workingDirectory = currentFolder();
  const config = await loadConfig({
    workingDirectory,
    ...(globals.config !== undefined && { file: globals.config }),
    ...(onContent && { onContent }),
  });
  return { config, workingDirectory, readSecret: secretReader(process.env) };
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new RespaldoError('usage', 'the folder that you are in does not exist any more', {
      hint: 'Change to another one: cd ..',
      cause: error,
    });
  }
}

/** Which repository the command means, and its password; a person is asked for one that nobody gave. */
export async function accessTo(
  invocation: Invocation,
  { config, workingDirectory, readSecret, env = process.env }: Surroundings,
  ask: (question: string, signal: AbortSignal) => Promise<string> = askPassword,
  plan?: Plan,
): Promise<RepositoryAccess> {
  const { chooseRepository, resolveAccess } = await import('../config/repository.ts');
  const { globals, output, signal } = invocation;
  const choice = chooseRepository({
    flags: repositoryFlags(globals),
    env,
    workingDirectory,
    ...(config && { config }),
    ...(plan && { plan }),
  });
  const person = canAsk(output) ? (question: string) => ask(question, signal) : undefined;
  return await resolveAccess(choice, readSecret, person, signal);
}

/**
 * Where the plan's repository lies, in the words of the repository itself; its name where that cannot be told. Reads no
 * secret and connects to nobody.
 */
export async function locationFor(
  { globals }: Invocation,
  { config, workingDirectory, env = process.env }: Surroundings,
  plan: Plan,
): Promise<string> {
  const { chooseRepository, resolvePlace } = await import('../config/repository.ts');
  try {
    const flags = repositoryFlags(globals);
    const { location } = chooseRepository({ flags, env, workingDirectory, ...(config && { config }), plan });
    const place = await resolvePlace({ location }, noSecret, new AbortController().signal);
    const store = await openBareStoreAt(place, workingDirectory);
    await store.close();
    return store.location;
  } catch (error) {
    if (!(error instanceof RespaldoError)) throw error;
    return plan.repository ?? '';
  }
}

/** Whether a person has to be asked for the password of the plan's repository. */
export async function isPasswordMissing(
  { globals }: Invocation,
  { config, workingDirectory, env = process.env }: Surroundings,
  plan: Plan,
): Promise<boolean> {
  const { chooseRepository } = await import('../config/repository.ts');
  const flags = repositoryFlags(globals);
  return chooseRepository({ flags, env, workingDirectory, ...(config && { config }), plan }).password === undefined;
}

function noSecret(): never {
  throw new RespaldoError('internal', 'a location has no secret');
}

/** The place that `location` names, or that of the repository that the command means; its password is left alone. */
export async function placeFor(
  invocation: Invocation,
  location: string | undefined,
): Promise<{ place: PlaceAccess; workingDirectory: string }> {
  const { chooseRepository, resolvePlace } = await import('../config/repository.ts');
  const { config, workingDirectory, readSecret } = await surroundings(invocation);
  const { globals, signal } = invocation;
  const flags = location === undefined ? repositoryFlags(globals) : { repo: location };
  const choice = chooseRepository({ flags, env: process.env, workingDirectory, ...(config && { config }) });
  return { place: await resolvePlace(choice, readSecret, signal), workingDirectory };
}

/**
 * Opens a repository, and says so of each failure of its store that is tried again.
 * @param soon what is going to be asked of it
 */
export async function openAt(
  access: RepositoryAccess,
  { globals, output, signal }: Invocation,
  { config, workingDirectory }: Surroundings,
  soon?: Soon,
): Promise<Repository> {
  const onRetry = (error: RespaldoError): void => output.warn(`${error.message}; trying again`);
  const [{ chooseCache }, { choosePacking }] = await Promise.all([
    import('../config/cache.ts'),
    import('../config/packing.ts'),
  ]);
  const packing = choosePacking(globals, process.env);
  const folder = chooseCache({ flags: globals, env: process.env, workingDirectory });
  const cache = folder === undefined ? undefined : { folder, onProblem: (message: string) => output.warn(message) };
  try {
    const options = {
      workingDirectory,
      onRetry,
      locking: lockingOf(globals, output),
      packing,
      ...(cache && { cache }),
      ...(soon && { soon }),
    };
    return await openRepositoryAt(access, options, signal);
  } catch (error) {
    if (!isError(error, 'repository-missing')) throw error;
    const { repositoryHint } = await import('../config/repository.ts');
    const hint = repositoryHint(access.url, config);
    if (hint === undefined) throw error;
    throw new RespaldoError(error.code, error.message, { hint, context: error.context, cause: error });
  }
}

function lockingOf({ lock, retryLock = 0 }: Globals, output: Output): LockPolicy {
  return {
    readUnlocked: !lock,
    waitMs: retryLock,
    onWait: ({ message }) => output.note(harmless(`${message}; waiting for it`)),
  };
}

/** Opens the repository that the command means, for as long as `work` takes. */
export async function withRepository<T>(
  invocation: Invocation,
  work: (repository: Repository, surroundings: Surroundings) => Promise<T>,
  soon?: Soon,
): Promise<T> {
  if (soon !== undefined) await prepareFor(soon);
  const around = await surroundings(invocation);
  const repository = await openAt(await accessTo(invocation, around), invocation, around, soon);
  try {
    return await work(repository, around);
  } finally {
    await repository.close();
  }
}

/** Remembers runs for as long as `work` takes; warns where that fails. */
export async function withRecorder<T>(
  { output, clock }: Invocation,
  work: (recorder: Recorder) => Promise<T>,
): Promise<T> {
  const catalog = await openRunCatalog(process.env, (message) => output.warn(message));
  try {
    const owner = await thisProcess();
    return await work({ catalog, clock, ...(owner !== undefined && { owner }) });
  } finally {
    catalog.close();
  }
}

/** What the command line says of the repository. */
export function repositoryFlags({ repo, repositoryFile, passwordFile, passwordCommand }: Globals): RepositoryFlags {
  return {
    ...(repo !== undefined && { repo }),
    ...(repositoryFile !== undefined && { repositoryFile }),
    ...(passwordFile !== undefined && { passwordFile }),
    ...(passwordCommand !== undefined && { passwordCommand }),
  };
}
