/** Writes one portable file to several places at once: captured once, and each set of steps done once. */
import { archiveKey, numberedKey, type NamedFile } from '../domain/archive-name.ts';
import { stepsEnding } from '../domain/archive.ts';
import { isError, RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Store } from '../stores/store.ts';
import type { ArchivePlace, Manifest, Steps, Sum, WrittenFile } from './archive.ts';
import { Checksum } from './checksum.ts';
import { compressed } from './compression.ts';
import { sameBytes } from './copy.ts';
import { encrypted, recordOf } from './encryption.ts';
import { encodeManifest, manifestKey } from './manifest.ts';
import { restoreCommand } from './restore-command.ts';
import { SharedContent } from './shared-content.ts';

/** A file to write. */
export interface NewArchiveFile {
  readonly content: AsyncIterable<Uint8Array>;
  readonly name: Omit<NamedFile, 'ending'>;
  readonly source: string;
  readonly run: string;
  readonly program: string;
  /** Asked when the content has ended. */
  about(): Pick<Manifest, 'versions' | 'facts' | 'chain'> & { readonly restoreCommand: string };
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Told how many plain bytes have come. */
  readonly onProgress?: (bytes: number) => void;
  /** Told of each failure after which a file is sent once more, from where it lies already. */
  readonly onRetry?: (place: ArchivePlace, error: RespaldoError) => void;
}

/** A place where a file is being written. */
interface Target {
  readonly place: ArchivePlace;
  /** Of the file at its place. */
  readonly key: string;
  /** Where its bytes go first. */
  readonly first: Store;
  failure?: RespaldoError;
}

/**
 * Each place gets the file whole, with a manifest, or not at all, whatever becomes of the others.
 * @throws RespaldoError only what is wrong with the content itself, and `cancelled`; nothing is left anywhere then
 */
export async function writeArchiveFile(
  file: NewArchiveFile,
  places: readonly ArchivePlace[],
  options: WriteOptions,
): Promise<readonly WrittenFile[]> {
  const { signal } = options;
  const targets: Target[] = [];
  const refused: WrittenFile[] = [];
  for (const place of places) {
    try {
      targets.push(await targetAt(place, file, signal));
    } catch (error) {
      throwIfAborted(signal);
      refused.push({ place, key: '', error: toRespaldoError(error) });
    }
  }
  if (targets.length === 0) return refused;
  try {
    return [...refused, ...(await writeTo(targets, file, options))];
  } finally {
    targets.forEach(letGo);
  }
}

/** Captures once, then gives each of them its own. */
async function writeTo(
  targets: readonly Target[],
  file: NewArchiveFile,
  options: WriteOptions,
): Promise<readonly WrittenFile[]> {
  const { signal } = options;
  const groups = bySteps(targets);
  const plain = new Checksum();
  const source = new SourceWatch(plain.of(file.content), plain, options.onProgress);
  const shared = new SharedContent(source.pieces(), groups.length);
  const stored = await Promise.all(
    groups.map(async ({ steps, targets: members }, index) => {
      const reader = shared.readers[index];
      if (reader === undefined) throw new RespaldoError('internal', 'there are more groups than readers');
      try {
        return await writeGroup(reader, steps, members, signal);
      } finally {
        // A step that never began to read holds up nobody.
        await reader.return();
      }
    }),
  );
  throwIfAborted(signal);
  source.throwIfFailed();
  const written = await Promise.all(
    groups.map((group, index) => finishGroup(file, plain, group, stored[index], options)),
  );
  return written.flat();
}

/** Remembers whether the content itself failed: then nothing of it is good anywhere. */
class SourceWatch {
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #plain: Checksum;
  readonly #onProgress: ((bytes: number) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(content: AsyncIterable<Uint8Array>, plain: Checksum, onProgress: ((bytes: number) => void) | undefined) {
    this.#content = content;
    this.#plain = plain;
    this.#onProgress = onProgress;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.#content) {
        this.#onProgress?.(this.#plain.bytes);
        yield piece;
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function targetAt(place: ArchivePlace, file: NewArchiveFile, signal: AbortSignal): Promise<Target> {
  const { store, temp, steps, template } = place;
  if (store.writeStream === undefined)
    throw new RespaldoError('usage', `${store.location} cannot take what has no known size`, {
      hint: 'Choose another kind of store for archives.',
    });
  const ending = stepsEnding(steps.compression.name, steps.encryption?.tool);
  const key = await freeKey(archiveKey(template, { ...file.name, ending }), store, signal);
  return { place, key, first: temp ?? store };
}

/** Keys that are being written, by the places of their stores: several plans may run at once. */
const inUse = new Set<string>();

/** Never the key of a file that is there, or will be: what was stored once is not replaced. Until {@link letGo} it is ours. */
async function freeKey(key: string, store: Store, signal: AbortSignal): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? key : numberedKey(key, number);
    const place = placeOf(store, candidate);
    if (inUse.has(place)) continue;
    inUse.add(place);
    try {
      const isTaken = (await exists(candidate, store, signal)) || (await exists(manifestKey(candidate), store, signal));
      if (!isTaken) return candidate;
    } catch (error) {
      inUse.delete(place);
      throw error;
    }
    inUse.delete(place);
  }
}

function letGo({ place, key }: Target): void {
  inUse.delete(placeOf(place.store, key));
}

function placeOf({ location }: Store, key: string): string {
  return `${location}\n${key}`;
}

async function exists(key: string, store: Store, signal: AbortSignal): Promise<boolean> {
  try {
    await store.stat(key, signal);
    return true;
  } catch (error) {
    if (isError(error, 'store-missing')) return false;
    throw error;
  }
}

interface Group {
  readonly steps: Steps;
  readonly targets: readonly Target[];
}

/** Those whose stored bytes may be the same. */
function bySteps(targets: readonly Target[]): readonly Group[] {
  const groups = new Map<string, Target[]>();
  for (const target of targets) {
    const id = JSON.stringify(target.place.steps);
    groups.set(id, [...(groups.get(id) ?? []), target]);
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined ? [] : [{ steps: first.place.steps, targets: members }];
  });
}

/** @returns what was stored, wherever it was; undefined: nowhere */
async function writeGroup(
  content: AsyncIterable<Uint8Array>,
  { compression, encryption }: Steps,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<Sum | undefined> {
  const sum = new Checksum();
  const shared = new SharedContent(
    sum.of(encrypted(compressed(content, compression, signal), encryption, signal)),
    targets.length,
  );
  const ends = targets.map(async (target, index): Promise<boolean> => {
    const reader = shared.readers[index];
    if (reader === undefined) return false;
    try {
      const { first, key } = target;
      const size = await first.writeStream?.(key, reader, signal);
      if (size === undefined) throw new RespaldoError('internal', `${first.location} takes no streams`);
      await requireSize(first, key, size, signal);
      return true;
    } catch (error) {
      target.failure = toRespaldoError(error);
      return false;
    } finally {
      await reader.return();
    }
  });
  const isSomewhere = (await Promise.all(ends)).includes(true);
  return isSomewhere ? sum.end() : undefined;
}

/** What a store says that it has taken is looked at once more. */
export async function requireSize(store: Store, key: string, size: number, signal: AbortSignal): Promise<void> {
  const found = await store.stat(key, signal);
  if (found.size === size) return;
  throw new RespaldoError(
    'store-broken',
    `${store.location} has ${String(found.size)} bytes of ${key}, and was given ${String(size)}`,
  );
}

/** Sends what is at another place already, then writes the manifests. */
function finishGroup(
  file: NewArchiveFile,
  plain: Checksum,
  { steps, targets }: Group,
  stored: Sum | undefined,
  options: WriteOptions,
): Promise<readonly WrittenFile[]> {
  return Promise.all(
    targets.map(async (target): Promise<WrittenFile> => {
      const { place, key, failure } = target;
      if (stored === undefined)
        return { place, key, error: failure ?? new RespaldoError('internal', 'nothing was written') };
      return finish(target, targets, manifestOf(file, key, steps, plain.end(), stored), options);
    }),
  );
}

async function finish(
  target: Target,
  all: readonly Target[],
  manifest: Manifest,
  options: WriteOptions,
): Promise<WrittenFile> {
  const { place, key, failure } = target;
  const { store, temp } = place;
  const { stored } = manifest;
  const { signal } = options;
  const staged = failure === undefined ? temp : undefined;
  try {
    if (staged !== undefined) await sent({ store: staged, key }, target, stored, options);
    else if (failure !== undefined) await sentAgain(target, all, stored, failure, options);
    // The copy that is at hand goes only when the one that was sent has been read.
    if (staged !== undefined) await requireSame(store, key, stored, signal);
    await store.write(manifestKey(key), encodeManifest(manifest), signal);
    await staged?.remove(key, signal);
    return { place, key, manifest };
  } catch (error) {
    throwIfAborted(signal);
    const isLeft = staged !== undefined && (await leave(staged, key, manifest, signal));
    return { place, key, error: toRespaldoError(error), ...(isLeft && { leftIn: `${staged.location}/${key}` }) };
  }
}

/** With its manifest a file can be sent by the next run. @returns whether it has one */
async function leave(temp: Store, key: string, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
  try {
    await temp.write(manifestKey(key), encodeManifest(manifest), signal);
    return true;
  } catch {
    throwIfAborted(signal);
    return false;
  }
}

/** Reads an object back. @throws RespaldoError `source-damaged` if it is not what was written */
export async function requireSame(store: Store, key: string, stored: Sum, signal: AbortSignal): Promise<void> {
  for await (const _piece of sameBytes(store, key, stored, signal));
}

interface Stored {
  readonly store: Store;
  readonly key: string;
}

/** Once more, from the first place that has the same bytes. */
async function sentAgain(
  target: Target,
  all: readonly Target[],
  stored: Sum,
  failure: RespaldoError,
  options: WriteOptions,
): Promise<void> {
  const source = all.find((other) => other !== target && other.failure === undefined);
  if (source === undefined) throw failure;
  options.onRetry?.(target.place, failure);
  await sent({ store: source.first, key: source.key }, target, stored, options, failure);
}

const ATTEMPTS = 2;

/** @param before why the first attempt failed, where there was one */
async function sent(
  from: Stored,
  { place, key }: Target,
  stored: Sum,
  { signal, onRetry }: WriteOptions,
  before?: RespaldoError,
): Promise<void> {
  for (let attempt = before === undefined ? 1 : 2; ; attempt++) {
    try {
      await place.store.writeStream?.(key, sameBytes(from.store, from.key, stored, signal), signal);
      await requireSize(place.store, key, stored.bytes, signal);
      return;
    } catch (error) {
      throwIfAborted(signal);
      if (attempt >= ATTEMPTS) throw error;
      onRetry?.(place, toRespaldoError(error));
    }
  }
}

function manifestOf(file: NewArchiveFile, key: string, steps: Steps, plain: Sum, stored: Sum): Manifest {
  const { restoreCommand: restore, versions, facts, chain } = file.about();
  const { compression, encryption } = steps;
  const record = encryption && recordOf(encryption);
  const name = key.slice(key.lastIndexOf('/') + 1);
  return {
    format: 1,
    file: name,
    plan: file.name.plan,
    source: file.source,
    database: file.name.database,
    extension: file.name.extension,
    hostname: file.name.host,
    time: file.name.time.toISOString(),
    run: file.run,
    program: file.program,
    plain,
    stored,
    compression: { name: compression.name, ...(compression.level !== undefined && { level: compression.level }) },
    ...(record && { encryption: record }),
    versions: { ...versions },
    facts: { ...facts },
    ...(chain && { chain }),
    restore: restoreCommand(name, compression.name, record, restore),
  };
}
