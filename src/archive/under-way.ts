/**
 * What lies in a temporary folder beside a file that is being sent: its manifest, under a name that tells who sends it. If
 * he is killed the next run goes on, and not while he lives.
 */
import { throwIfAborted } from '../errors.ts';
import { hasObject, type Store } from '../stores/store.ts';
import type { ArchivePlace, Manifest } from './archive.ts';
import { encodeManifest, manifestKey, parseManifest } from './manifest.ts';

const NAME = /\.([0-9a-z]+)\.sending$/;
/** Of whom nobody knows whether he lives: no upload lasts so long. */
const LONGEST_MS = 7 * 24 * 60 * 60 * 1000;

/** Only helps whoever comes after a kill: where it cannot be written, the file is sent all the same. */
export async function beginSending(
  { temp, writer }: ArchivePlace,
  key: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  try {
    await temp?.write(sendingKey(key, writer?.mark), encodeManifest(manifest), signal);
  } catch {
    throwIfAborted(signal);
  }
}

export async function endSending({ temp, writer }: ArchivePlace, key: string, signal: AbortSignal): Promise<void> {
  await temp?.remove(sendingKey(key, writer?.mark), signal);
}

/** Makes of what killed runs were sending files that can be sent. */
export async function adoptAbandoned(place: ArchivePlace, now: Date, signal: AbortSignal): Promise<void> {
  const { temp } = place;
  if (temp === undefined) return;
  for (const { key } of await Array.fromAsync(temp.list('', signal))) {
    const [, mark] = NAME.exec(key) ?? [];
    if (mark !== undefined) await adopt(temp, key, mark, place, now, signal);
  }
}

async function adopt(
  temp: Store,
  key: string,
  mark: string,
  { writer }: ArchivePlace,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const file = key.replace(NAME, '');
  const bytes = await temp.read(key, undefined, signal);
  const age = now.getTime() - Date.parse(parseManifest(bytes, file).time);
  if (mark === writer?.mark || (age < LONGEST_MS && (await writer?.isGone(mark)) !== true)) return;
  if (await hasObject(temp, file, signal)) await temp.write(manifestKey(file), bytes, signal);
  await temp.remove(key, signal);
}

function sendingKey(key: string, mark = 'somebody'): string {
  return `${key}.${mark}.sending`;
}
