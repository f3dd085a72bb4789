import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CredentialReferences, Destination, Plan, SecretReference, StoreCredentials } from '../domain/plan.ts';
import { RespaldoError } from '../errors.ts';
import type { Config } from './config.ts';
import { readCredentials } from './credentials.ts';
import { describeSecret, type Environment, type ReadSecret } from './secrets.ts';
import { didYouMean } from './suggest.ts';
import { splitWords } from './words.ts';

/** What the command line says. */
export interface RepositoryFlags {
  /** `--repo`: an address, or the name of a repository of the configuration. */
  readonly repo?: string;
  readonly repositoryFile?: string;
  readonly passwordFile?: string;
  readonly passwordCommand?: string;
}

export interface RepositoryQuestion {
  readonly flags: RepositoryFlags;
  readonly env: Environment;
  readonly config?: Config;
  /** The plan that is run, if it is one of the configuration. */
  readonly plan?: Plan;
  /** Where relative files of flags and environment start from: an absolute path. */
  readonly workingDirectory: string;
}

/** Which repository a command means. References only: nothing has been read yet. */
export interface RepositoryChoice {
  /** Its name in the configuration, if it is one of those. */
  readonly name?: string;
  readonly location: { readonly url: string } | { readonly file: string };
  /** Absent: nobody has said; it can be asked for. */
  readonly password?: SecretReference;
  /** Absent: those of the environment, if the store asks for some. */
  readonly credentials?: CredentialReferences;
  /** What to say where the address leads nowhere: it resembles a name of the configuration. */
  readonly hint?: string;
}

/** All that it takes to open a repository. Holds the password: never logged. */
export interface RepositoryAccess {
  readonly name?: string;
  readonly url: string;
  readonly password: string;
  /** For messages: `the file /etc/respaldo/password`. */
  readonly passwordFrom: string;
  readonly credentials?: StoreCredentials;
}

/**
 * Which repository and which password a command means. For each of the two, the first that says so wins: the command
 * line, `RESPALDO_*`, restic's `RESTIC_*`, `respaldo.yaml`.
 * @throws RespaldoError `usage` where two contradict each other at one of these levels, `config` where nobody says.
 */
export function chooseRepository(question: RepositoryQuestion): RepositoryChoice {
  const place = placeFromFlags(question) ?? placeFromEnvironment(question) ?? placeFromConfig(question);
  const password =
    passwordFromFlags(question) ??
    passwordFromEnvironment('RESPALDO', question) ??
    passwordFromEnvironment('RESTIC', question) ??
    place.destination?.password;
  const hint =
    'url' in place.location && !place.destination ? repositoryHint(place.location.url, question.config) : undefined;
  return {
    ...(place.destination && { name: place.destination.name }),
    location: place.location,
    ...(password && { password }),
    ...(place.destination?.credentials && { credentials: place.destination.credentials }),
    ...(hint !== undefined && { hint }),
  };
}

/** What it takes to reach the place of a repository. Holds keys: never logged. */
export type PlaceAccess = Pick<RepositoryAccess, 'name' | 'url' | 'credentials'>;

/** Reads what the choice's place refers to, and leaves its password alone. @throws what reading a secret throws. */
export async function resolvePlace(
  { name, location, credentials }: RepositoryChoice,
  readSecret: ReadSecret,
  signal: AbortSignal,
): Promise<PlaceAccess> {
  return {
    url: 'url' in location ? location.url : await readLocation(location.file),
    ...(name !== undefined && { name }),
    ...(credentials && { credentials: await readCredentials(credentials, readSecret, signal) }),
  };
}

/**
 * Reads what the choice refers to.
 * @param ask asks a person for the password; absent where nobody sits there.
 * @throws RespaldoError `config` where there is no password, and what reading the secret throws.
 */
export async function resolveAccess(
  choice: RepositoryChoice,
  readSecret: ReadSecret,
  ask: ((question: string) => Promise<string>) | undefined,
  signal: AbortSignal,
): Promise<RepositoryAccess> {
  const place = await resolvePlace(choice, readSecret, signal);
  if (choice.password) {
    const password = await readSecret(choice.password, signal);
    return { ...place, password, passwordFrom: describeSecret(choice.password) };
  }
  if (!ask) throw noPassword(place.url, choice.hint);
  const password = await ask(`password of the repository ${choice.name ?? place.url}`);
  if (password === '') throw new RespaldoError('usage', 'the password is empty', { hint: 'Type the password.' });
  return { ...place, password, passwordFrom: 'the terminal' };
}

interface ChosenPlace {
  readonly location: RepositoryChoice['location'];
  readonly destination?: Destination;
}

function placeFromFlags({ flags, config, workingDirectory }: RepositoryQuestion): ChosenPlace | undefined {
  const { repo, repositoryFile } = flags;
  requireOne(['--repo', repo], ['--repository-file', repositoryFile]);
  if (repositoryFile !== undefined) return { location: { file: path.resolve(workingDirectory, repositoryFile) } };
  return repo === undefined ? undefined : named(repo, config);
}

function placeFromEnvironment({ env, config, workingDirectory }: RepositoryQuestion): ChosenPlace | undefined {
  for (const prefix of ['RESPALDO', 'RESTIC'] as const) {
    const [repositoryName, fileName] = [`${prefix}_REPOSITORY`, `${prefix}_REPOSITORY_FILE`];
    const repository = valueOf(env, repositoryName);
    const file = valueOf(env, fileName);
    requireOne([repositoryName, repository], [fileName, file]);
    if (file !== undefined) return { location: { file: path.resolve(workingDirectory, file) } };
    if (repository !== undefined) return prefix === 'RESPALDO' ? named(repository, config) : at(repository, config);
  }
  return undefined;
}

function placeFromConfig({ config, plan }: RepositoryQuestion): ChosenPlace {
  const name = plan?.repository ?? config?.defaultRepository;
  const destination = name === undefined ? undefined : config?.repositories.get(name);
  if (destination) return { location: { url: destination.url }, destination };
  const names = [...(config?.repositories.keys() ?? [])];
  if (names.length === 0) {
    throw new RespaldoError('config', 'no repository is named', {
      hint: 'Name it by --repo FOLDER, by RESPALDO_REPOSITORY, or under repositories in respaldo.yaml.',
    });
  }
  throw new RespaldoError('config', `which repository is meant? respaldo.yaml has ${names.join(', ')}`, {
    hint: `Name one: --repo ${names[0] ?? 'NAME'}, or set defaults: { repository: … } in respaldo.yaml.`,
  });
}

/** A name of the configuration before an address: `./main` is always the folder. */
function named(text: string, config: Config | undefined): ChosenPlace {
  const destination = config?.repositories.get(text);
  return destination ? { location: { url: destination.url }, destination } : at(text, config);
}

/** An address. Written in the configuration too, it brings the password from there. */
function at(url: string, config: Config | undefined): ChosenPlace {
  const destination = config && [...config.repositories.values()].find((one) => one.url === url);
  return { location: { url }, ...(destination && { destination }) };
}

/** What to say of a repository that is not there, if its name was probably mistyped. */
export function repositoryHint(url: string, config: Config | undefined): string | undefined {
  const meant = didYouMean(url, config?.repositories.keys() ?? []);
  return meant === '' ? undefined : `There is no repository ${url} in respaldo.yaml either${meant}`;
}

function passwordFromFlags({ flags, workingDirectory }: RepositoryQuestion): SecretReference | undefined {
  const { passwordFile, passwordCommand } = flags;
  requireOne(['--password-file', passwordFile], ['--password-command', passwordCommand]);
  if (passwordFile !== undefined) return { file: path.resolve(workingDirectory, passwordFile) };
  if (passwordCommand === undefined) return undefined;
  return { command: splitWords(passwordCommand, '--password-command'), folder: workingDirectory };
}

/** As restic: a command or a file wins over the password itself; both a command and a file is a contradiction. */
function passwordFromEnvironment(
  prefix: 'RESPALDO' | 'RESTIC',
  { env, workingDirectory }: RepositoryQuestion,
): SecretReference | undefined {
  const [plain, fileName, commandName] = [
    `${prefix}_PASSWORD`,
    `${prefix}_PASSWORD_FILE`,
    `${prefix}_PASSWORD_COMMAND`,
  ];
  const file = valueOf(env, fileName);
  const command = valueOf(env, commandName);
  requireOne([fileName, file], [commandName, command]);
  if (command !== undefined) return { command: splitWords(command, commandName), folder: workingDirectory };
  if (file !== undefined) return { file: path.resolve(workingDirectory, file) };
  return valueOf(env, plain) === undefined ? undefined : { env: plain };
}

/** An empty variable counts as unset, as it does for restic. */
function valueOf(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

function requireOne(...given: readonly (readonly [name: string, value: string | undefined])[]): void {
  const names = given.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (names.length > 1) {
    throw new RespaldoError('usage', `${names.join(' and ')} contradict each other`, { hint: 'Give one of them.' });
  }
}

async function readLocation(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RespaldoError('config', `cannot read the repository's address from ${file}: ${reason}`, { cause: error });
  }
  if (text !== '') return text;
  throw new RespaldoError('config', `${file} is empty`, { hint: "It must hold the repository's address." });
}

function noPassword(url: string, hint: string | undefined): RespaldoError {
  return new RespaldoError('config', `no password for the repository ${url}`, {
    hint:
      hint ??
      'Give --password-file FILE, --password-command COMMAND, RESPALDO_PASSWORD_FILE or RESPALDO_PASSWORD, or password: under the repository in respaldo.yaml.',
  });
}
