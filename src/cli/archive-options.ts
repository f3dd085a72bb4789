import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Keys } from '../archive/archive.ts';
import { openArchiveStore, listArchiveAt } from '../compose.ts';
import { NAME } from '../config/names.ts';
import { didYouMean } from '../config/suggest.ts';
import type { ArchiveDestination } from '../domain/archive.ts';
import { RespaldoError, toRespaldoError } from '../errors.ts';
import { filtered, type FileFilter, type FoundFile } from '../operations/archive-files.ts';
import type { Store } from '../stores/store.ts';
import type { Invocation } from './invocation.ts';
import { askPassword, canAsk } from './prompt.ts';
import { collect } from './select.ts';
import { surroundings, type Surroundings } from './session.ts';

export interface ArchiveOptions extends FileFilter {
  readonly archive: readonly string[];
  readonly identity?: string;
  readonly passphraseFile?: string;
}

/** Which files of which archives. */
export function addArchiveOptions(command: Command): Command {
  return command
    .option(
      '-a, --archive <name>',
      'an archive of respaldo.yaml, or the address of one (repeatable); default: all',
      collect,
      [],
    )
    .option('--plan <name>', 'only files of this plan')
    .option('--database <name>', 'only files of this database, or folder');
}

/** What opens them. */
export function addKeyOptions(command: Command): Command {
  return command
    .option('--identity <file>', 'secret keys of age; default: those of respaldo.yaml')
    .option(
      '--passphrase-file <file>',
      'the passphrase of the file, or of the secret key; default: that of respaldo.yaml',
    );
}

/** Archives that are open for as long as a command takes. */
export class OpenArchives implements AsyncDisposable {
  readonly files: readonly FoundFile[];
  readonly problems: readonly { readonly archive: string; readonly error: RespaldoError }[];
  readonly #stores: ReadonlyMap<string, Store>;
  readonly #destinations: ReadonlyMap<string, ArchiveDestination>;
  readonly #around: Surroundings;
  readonly #options: ArchiveOptions;
  readonly #invocation: Invocation;
  readonly #asked = new Map<string, string>();

  private constructor(
    files: readonly FoundFile[],
    problems: OpenArchives['problems'],
    stores: ReadonlyMap<string, Store>,
    destinations: ReadonlyMap<string, ArchiveDestination>,
    around: Surroundings,
    options: ArchiveOptions,
    invocation: Invocation,
  ) {
    this.files = files;
    this.problems = problems;
    this.#stores = stores;
    this.#destinations = destinations;
    this.#around = around;
    this.#options = options;
    this.#invocation = invocation;
  }

  /** Lists those that are named, or all of the configuration. @throws RespaldoError `config`, `usage`, the store's */
  static async open(options: ArchiveOptions, invocation: Invocation): Promise<OpenArchives> {
    const around = await surroundings(invocation);
    const chosen = await wanted(options.archive, around);
    const destinations = new Map(chosen.map((one) => [one.name, one]));
    const stores = new Map<string, Store>();
    const files: FoundFile[] = [];
    const problems: { archive: string; error: RespaldoError }[] = [];
    for (const [archive, destination] of destinations) {
      const onRetry = (error: RespaldoError): void => invocation.output.warn(`${error.message}; trying again`);
      try {
        const store = await openArchiveStore(destination, { ...around, onRetry }, invocation.signal);
        stores.set(archive, store);
        const listing = await listArchiveAt(store, invocation.signal);
        files.push(...listing.files.map((file) => ({ ...file, archive })));
        problems.push(...listing.problems.map(({ error }) => ({ archive, error })));
      } catch (error) {
        // One that cannot be reached hides nothing of the others.
        if (destinations.size === 1 || invocation.signal.aborted) throw error;
        problems.push({ archive, error: toRespaldoError(error) });
      }
    }
    const sorted = filtered(files, options).toSorted(
      (a, b) => Date.parse(a.manifest.time) - Date.parse(b.manifest.time),
    );
    return new OpenArchives(sorted, problems, stores, destinations, around, options, invocation);
  }

  get config(): Surroundings['config'] {
    return this.#around.config;
  }

  /** Of an archive that was asked for and could be reached. */
  locationOf(archive: string): string | undefined {
    return this.problems.some((problem) => problem.archive === archive)
      ? undefined
      : this.#stores.get(archive)?.location;
  }

  /** Where those lie of which there is no such file: a place that is not there, or whose name is misspelled, has none either. */
  get withoutFiles(): readonly { readonly archive: string; readonly location: string }[] {
    return [...this.#stores.keys()].flatMap((archive) => {
      const location = this.locationOf(archive);
      return location === undefined || this.files.some((file) => file.archive === archive)
        ? []
        : [{ archive, location }];
    });
  }

  storeOf({ archive }: FoundFile): Store {
    const store = this.#stores.get(archive);
    if (store === undefined) throw new RespaldoError('internal', `the archive ${archive} is not open`);
    return store;
  }

  /** What there is to open a file with; a person may be asked for a passphrase. */
  async keysFor({ archive, manifest }: FoundFile): Promise<Keys> {
    const { encryption } = manifest;
    if (encryption === undefined) return {};
    const { readKeys, identitiesOf } = await import('../config/archive-access.ts');
    const { readSecret } = this.#around;
    const { signal, output } = this.#invocation;
    const { identity, passphraseFile } = this.#options;
    const own = await readKeys(this.#destinations.get(archive)?.encryption, readSecret, signal);
    const given = {
      ...own,
      ...(identity !== undefined && {
        identities: identitiesOf(await readSecret({ file: path.resolve(identity) }, signal)),
      }),
      ...(passphraseFile !== undefined && {
        passphrase: await readSecret({ file: path.resolve(passphraseFile) }, signal),
      }),
    };
    if (encryption.passphrase !== true || given.passphrase !== undefined || !canAsk(output)) return given;
    const name = encryption.name ?? archive;
    const passphrase = this.#asked.get(name) ?? (await askPassword(`passphrase of ${name}`, signal));
    this.#asked.set(name, passphrase);
    return { ...given, passphrase };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores.values()) await store.close();
  }
}

async function wanted(
  names: readonly string[],
  { config, workingDirectory }: Surroundings,
): Promise<readonly ArchiveDestination[]> {
  const known = config?.archives ?? new Map<string, ArchiveDestination>();
  if (names.length === 0 && known.size === 0)
    throw new RespaldoError('config', 'there is no archive: respaldo.yaml is missing here and above, or has none', {
      hint: 'Name one by its address: --archive ./archives',
    });
  if (names.length === 0) return [...known.values()];
  for (const name of names)
    if (!known.has(name) && NAME.test(name)) await requireFolder(name, workingDirectory, known.keys());
  return names.map((name) => known.get(name) ?? { name, url: name, template: '', compression: { name: 'none' } });
}

/** What looks like a name and is none may be a folder here; a misspelled one would look like an archive without files. */
async function requireFolder(name: string, folder: string, names: Iterable<string>): Promise<void> {
  const isThere = await access(path.resolve(folder, name)).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  throw new RespaldoError('usage', `there is no archive ${name}, and no such folder${didYouMean(name, names)}`, {
    hint: 'Name one of respaldo.yaml, or give the address of another one: --archive ./archives',
  });
}
