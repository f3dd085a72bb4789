/** Writes one portable file to several places at once: captured once, and each set of steps done once. */
import { archiveKey, type NamedFile } from '../domain/archive-name.ts';
import { stepsEnding } from '../domain/archive.ts';
import { release } from '../domain/release.ts';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { ArchivePlace, Manifest, Steps, Sum, WrittenFile } from './archive.ts';
import { confirmArrivals, requireSize } from './arrival.ts';
import { Checksum } from './checksum.ts';
import { compressed } from './compression.ts';
import { encrypted, recordOf } from './encryption.ts';
import { freeKey, letGo } from './free-key.ts';
import { restoreCommand } from './restore-command.ts';
import { finish, type Target, type WriteOptions } from './sending.ts';
import { SharedContent } from './shared-content.ts';

/** A file to write. */
export interface NewArchiveFile {
  readonly content: AsyncIterable<Uint8Array>;
  /** Nobody looks at a piece of the content any more once it has been handed out. */
  readonly disposable?: true;
  /** A piece of the content is good until the next one is asked for. */
  readonly fleeting?: true;
  readonly name: Omit<NamedFile, 'ending'>;
  readonly source: string;
  readonly run: string;
  readonly program: string;
  /** Asked when the content has ended. */
  about(): Pick<Manifest, 'versions' | 'facts' | 'chain'> & { readonly restoreCommand: string };
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
    for (const { place, key } of targets) letGo(place.store, key);
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
  const { readers, areOurs } = readersOf(file, source.pieces(), groups);
  const isOnlyOurs = groups.length === 1 && areOurs;
  const stored = await Promise.all(
    groups.map(async ({ steps, targets: members }, index) => {
      const reader = readers[index];
      if (reader === undefined) throw new RespaldoError('internal', 'there are more groups than readers');
      try {
        return await writeGroup(reader, steps, members, isOnlyOurs, signal);
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

/** Somebody who reads content, and lets go of it by `return`. */
type ContentReader = AsyncIterable<Uint8Array> & { return(): Promise<unknown> };

/** Of one content, a reader for each group, and whether its pieces are nobody's but theirs. */
interface Reading {
  readonly readers: readonly ContentReader[];
  readonly areOurs: boolean;
}

/** What is fleeting is copied unless it is done with before the next piece comes. */
function readersOf(
  { fleeting, disposable }: Pick<NewArchiveFile, 'fleeting' | 'disposable'>,
  pieces: AsyncGenerator<Uint8Array, void>,
  groups: readonly Group[],
): Reading {
  const shared = (content: AsyncIterable<Uint8Array>) => new SharedContent(content, groups.length).readers;
  if (fleeting !== true) return { readers: shared(pieces), areOurs: disposable === true };
  if (isTakenAtOnce(groups)) return { readers: [pieces], areOurs: false };
  return { readers: shared(copies(pieces)), areOurs: true };
}

/** Whether there is one reader, who has done with a piece before he asks for the next: every step is such a one, a store is not. */
function isTakenAtOnce([first, ...others]: readonly Group[]): boolean {
  if (first === undefined || others.length > 0) return false;
  const { compression, encryption } = first.steps;
  return compression.name !== 'none' || encryption !== undefined;
}

async function* copies(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Uint8Array.from(piece);
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

  async *pieces(): AsyncGenerator<Uint8Array, void> {
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

/**
 * @param isOnlyOurs whether nobody else reads the pieces of the content
 * @returns what was stored, wherever it was; undefined: nowhere
 */
async function writeGroup(
  content: AsyncIterable<Uint8Array>,
  { compression, encryption }: Steps,
  targets: readonly Target[],
  isOnlyOurs: boolean,
  signal: AbortSignal,
): Promise<Sum | undefined> {
  const sum = new Checksum();
  const isCompactOurs = isOnlyOurs || compression.name !== 'none';
  const compact = compressed(content, compression, signal, isOnlyOurs ? release : undefined);
  const shared = new SharedContent(
    sum.of(encrypted(compact, encryption, signal, isCompactOurs ? release : undefined)),
    targets.length,
  );
  const isStoredOurs = targets.length === 1 && (isCompactOurs || encryption !== undefined);
  const ends = targets.map(async (target, index): Promise<boolean> => {
    const reader = shared.readers[index];
    if (reader === undefined) return false;
    try {
      const { first, key } = target;
      const stored = isStoredOurs && first.writesAtOnce === true ? released(reader) : reader;
      const size = await first.writeStream?.(key, stored, signal);
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

/** Pieces that nobody looks at any more when the next one is asked for. */
async function* released(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    release(piece);
  }
}

/** Those that failed first: what lies in the temporary folder of another is still there then. */
async function finishGroup(
  file: NewArchiveFile,
  plain: Checksum,
  { steps, targets }: Group,
  stored: Sum | undefined,
  options: WriteOptions,
): Promise<readonly WrittenFile[]> {
  const end = async (target: Target): Promise<WrittenFile> => {
    const { place, key, failure } = target;
    if (stored !== undefined)
      return finish(target, targets, manifestOf(file, key, steps, plain.end(), stored), options);
    return { place, key, error: failure ?? new RespaldoError('internal', 'nothing was written') };
  };
  if (stored !== undefined) await confirmArrivals(targets, stored, options.signal);
  const { failed = [], good = [] } = Object.groupBy(targets, ({ failure }) => (failure ? 'failed' : 'good'));
  return [...(await Promise.all(failed.map(end))), ...(await Promise.all(good.map(end)))];
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
