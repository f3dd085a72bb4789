import { isError, type RespaldoError, toRespaldoError } from '../errors.ts';
import type { ReadStore, Store } from '../stores/store.ts';
import type { ArchivedFile, Manifest } from './archive.ts';
import { describedKey, manifestKey, parseManifest } from './manifest.ts';

/** What a store holds: files by the times of their runs, and what is wrong with manifests. */
export interface ArchiveListing {
  readonly files: readonly ArchivedFile[];
  readonly problems: readonly { readonly key: string; readonly error: RespaldoError }[];
}

/** Manifests that are read at once. */
const AT_ONCE = 16;

/** Every file of a store that has a manifest. Other objects are left alone: the place may hold more than archives. */
export async function listArchive(store: ReadStore, signal: AbortSignal): Promise<ArchiveListing> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list('', signal)) sizes.set(key, size);
  const keys = [...sizes.keys()].flatMap((key) => describedKey(key) ?? []);
  const files: ArchivedFile[] = [];
  const problems: { key: string; error: RespaldoError }[] = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    await Promise.all(
      keys.slice(at, at + AT_ONCE).map(async (key) => {
        try {
          const manifest = parseManifest(await store.read(manifestKey(key), undefined, signal), key);
          files.push({ key, manifest, state: stateOf(sizes.get(key), manifest) });
        } catch (error) {
          if (isError(error, 'cancelled')) throw error;
          problems.push({ key, error: toRespaldoError(error) });
        }
      }),
    );
  }
  return { files: files.toSorted(byTimeAndKey), problems };
}

function stateOf(size: number | undefined, { stored }: Manifest): ArchivedFile['state'] {
  if (size === undefined) return 'missing';
  return size === stored.bytes ? 'whole' : 'resized';
}

function byTimeAndKey(a: ArchivedFile, b: ArchivedFile): number {
  return Date.parse(a.manifest.time) - Date.parse(b.manifest.time) || (a.key < b.key ? -1 : 1);
}

/** Removes a file. What is without a manifest is no file any more, so that goes first. */
export async function removeArchivedFile(store: Store, key: string, signal: AbortSignal): Promise<void> {
  await store.remove(manifestKey(key), signal);
  await store.remove(key, signal);
}
