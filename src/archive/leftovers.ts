import { mayBeArchiveKey } from '../domain/archive-name.ts';
import { throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Store } from '../stores/store.ts';
import type { ArchivePlace, Manifest, Proof, WrittenFile } from './archive.ts';
import { confirm } from './arrival.ts';
import { sameBytes } from './copy.ts';
import { listArchive, removeArchivedFile } from './listing.ts';
import { encodeManifest, manifestKey } from './manifest.ts';
import { adoptAbandoned } from './under-way.ts';

/**
 * Removes what killed runs have left half-made, in a place and in its temporary folder, and makes what they were sending
 * ready to be sent. Only tidies up: a place where that cannot be done says so when it is written to.
 */
export async function sweepPlace(place: ArchivePlace, now: Date, signal: AbortSignal): Promise<void> {
  const { store, temp } = place;
  const works = [
    () => store.sweep?.(signal, mayBeArchiveKey),
    () => temp?.sweep?.(signal, mayBeArchiveKey),
    () => adoptAbandoned(place, now, signal),
  ];
  for (const work of works) {
    try {
      await work();
    } catch {
      throwIfAborted(signal);
    }
  }
}

/**
 * Sends what an earlier run has made in the temporary folder of a place and could not send. What fails stays there.
 * @throws RespaldoError `cancelled`, and what listing the temporary folder throws
 */
export async function sendLeftovers(place: ArchivePlace, signal: AbortSignal): Promise<readonly WrittenFile[]> {
  const { temp } = place;
  if (temp === undefined) return [];
  const written: WrittenFile[] = [];
  for (const { key, manifest, state } of (await listArchive(temp, signal)).files) {
    if (state !== 'whole') continue;
    try {
      const confirmedBy = await moved(key, manifest, temp, place, signal);
      written.push({ place, key, manifest, confirmedBy });
    } catch (error) {
      throwIfAborted(signal);
      written.push({ place, key, error: toRespaldoError(error), leftIn: `${temp.location}/${key}` });
    }
  }
  return written;
}

async function moved(
  key: string,
  manifest: Manifest,
  from: Store,
  place: ArchivePlace,
  signal: AbortSignal,
): Promise<Proof> {
  const { store: to } = place;
  await to.writeStream?.(key, sameBytes(from, key, manifest.stored, signal), signal);
  const proof = await confirm(place, key, manifest.stored, signal);
  await to.write(manifestKey(key), encodeManifest(manifest), signal);
  await removeArchivedFile(from, key, signal);
  return proof;
}
