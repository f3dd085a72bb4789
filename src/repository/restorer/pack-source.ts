import { isError } from '../../errors.ts';
import type { Store } from '../../stores/store.ts';
import type { Id } from '../format/id.ts';
import { packKey } from '../storage/objects.ts';
import { readRuns } from './runs.ts';
import type { PlannedTask } from './plan.ts';
import type { WriteTask } from './write-task.ts';

/** Where a worker finds the task's part of the pack: in a local file, or read here from the store. */
export async function packSource(store: Store, task: PlannedTask, signal: AbortSignal): Promise<WriteTask['pack']> {
  if (task.pack === undefined) return undefined;
  const file = store.localPath?.(packKey(task.pack));
  if (file !== undefined) return { file };
  const { pack } = task;
  const extents = readRuns(task.blobs.map(({ blob }) => blob));
  return { runs: await Promise.all(extents.map((run) => readRun(store, pack, run, signal))) };
}

/** The buffers that can be handed over. */
export function transferable(source: WriteTask['pack']): ArrayBuffer[] {
  if (source === undefined || 'file' in source) return [];
  const whole = (bytes: Uint8Array): boolean => bytes.byteLength === bytes.buffer.byteLength;
  return source.runs.flatMap((run) =>
    typeof run !== 'string' && run.buffer instanceof ArrayBuffer && whole(run) ? [run.buffer] : [],
  );
}

/** A pack that is gone or too short is damage, told in words; a store that fails is an error. */
async function readRun(
  store: Store,
  pack: Id,
  run: { readonly offset: number; readonly length: number },
  signal: AbortSignal,
): Promise<Uint8Array | string> {
  const key = packKey(pack);
  try {
    return await store.read(key, run, signal);
  } catch (error) {
    if (isError(error, 'store-missing')) return 'the pack is missing';
    if (!isError(error, 'store-broken')) throw error;
    const { size } = await store.stat(key, signal);
    if (size >= run.offset + run.length) throw error;
    return size <= run.offset
      ? 'the pack is truncated'
      : store.read(key, { offset: run.offset, length: size - run.offset }, signal);
  }
}
