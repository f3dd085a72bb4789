/** Reads every pack. */
import type { Finding } from '../../domain/finding.ts';
import { isError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { packKey } from '../storage/objects.ts';
import { inParallel } from '../storage/parallel.ts';
import { Crew } from '../workers/crew.ts';
import { usefulWorkers, workerScript } from '../workers/thread.ts';
import * as found from './findings.ts';
import type { Losses } from './losses.ts';
import type { PackReport } from './verify-pack.ts';
import type { VerifyTask, WorkerData } from './checker-worker.ts';

interface Verified {
  readonly id: Id;
  readonly rows: readonly number[];
  readonly blobs: readonly Located[];
  /** Or in words why the store did not give the pack. */
  readonly report: PackReport | string;
}

/** @param present the packs to read */
export async function* checkData(
  context: RepositoryContext,
  index: BlobIndex,
  present: ReadonlySet<Id>,
  losses: Losses,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  const data: WorkerData = { key: context.key };
  const script = workerScript(import.meta.url, 'checker-worker');
  await using crew = await Crew.start<VerifyTask, PackReport>({ script, data, size: usefulWorkers() });
  const packs = index.packRows().filter(({ id }) => present.has(id));
  // One pack is read while each worker has one to verify.
  const verified = inParallel(packs, crew.size + 1, ({ id, rows }) => verify(context, crew, index, id, rows, signal));
  let done = 0;
  for await (const pack of verified) {
    done += 1;
    yield* report(pack, losses);
    onProgress(done, present.size);
  }
}

async function verify(
  { store }: RepositoryContext,
  crew: Crew<VerifyTask, PackReport>,
  index: BlobIndex,
  id: Id,
  rows: readonly number[],
  signal: AbortSignal,
): Promise<Verified> {
  const blobs = rows.map((row) => index.at(row));
  try {
    const bytes = ownBuffer(await store.read(packKey(id), undefined, signal));
    const task = { id, bytes, listed: blobs };
    return { id, rows, blobs, report: await crew.run(task, [bytes.buffer]) };
  } catch (error) {
    if (!isError(error, 'store-missing') && !isError(error, 'store-broken')) throw error;
    return { id, rows, blobs, report: error.message };
  }
}

function* report({ id, rows, blobs, report }: Verified, losses: Losses): Generator<Finding, void, undefined> {
  if (typeof report === 'string') {
    yield found.packUnreadable(id, report);
    for (const row of rows) losses.addPlace(row);
    return;
  }
  for (const why of report.problems) yield found.packDamaged(id, why);
  for (const { position, why } of report.damagedBlobs) {
    const blob = blobs[position];
    if (blob !== undefined) yield found.blobDamaged(blob.type, blob.id, id, why);
    losses.addPlace(rows[position] ?? -1);
  }
}

/** The bytes alone in their buffer, so that it can be handed over; a small read may share one with others. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}
