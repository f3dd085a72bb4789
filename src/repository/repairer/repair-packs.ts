import type { Finding } from '../../domain/finding.ts';
import { isError, RespaldoError } from '../../errors.ts';
import * as found from '../checker/findings.ts';
import { afresh, type RepositoryContext } from '../context.ts';
import { type Id, isId } from '../format/id.ts';
import { type PackedBlob, parsePackHeader } from '../format/pack.ts';
import { rewriteIndex } from '../pruner/rewrite-index.ts';
import type { PackRepair, PackRepairOptions } from '../repository.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobWriter } from '../storage/blob-writer.ts';
import { unpackBlob } from '../storage/blobs.ts';
import { withLock } from '../storage/locks.ts';
import { packKey } from '../storage/objects.ts';

/** A pack to take out of the repository. */
interface Patient {
  readonly id: Id;
  /** Its number in the index, if that tells of it. */
  readonly pack: number | undefined;
  readonly listed: readonly PackedBlob[];
}

/**
 * See {@link Repository.repairPacks}. In this order: copies of the packs outside, new packs with what can be read, an
 * index that tells of the new packs and not of the old ones, then the old ones go.
 */
export async function repairPacks(
  context: RepositoryContext,
  ids: readonly string[],
  options: PackRepairOptions,
  signal: AbortSignal,
): Promise<PackRepair> {
  const wanted = wholeIds(ids);
  const { objects, store, clock } = context;
  return withLock(objects, { exclusive: true, clock, signal }, async (signal, guard) => {
    const index = await afresh(context).loadIndex(signal);
    const patients = locate(index, wanted);
    const writer = new BlobWriter(context, signal);
    let [saved, lost] = [0, 0];
    for (const patient of patients) {
      const bytes = await readWhole(context, patient, signal);
      if (bytes !== undefined) await options.keepCopy(patient.id, bytes);
      const result = await salvage(context, index, patient, bytes, writer, options);
      saved += result.saved;
      lost += result.lost;
    }
    await writer.flush();
    const dropped = new Set(patients.flatMap(({ pack }) => pack ?? []));
    const obsolete = await rewriteIndex(objects, index, dropped, [], signal);
    await guard.confirm();
    for (const id of obsolete) await objects.remove('index', id, signal);
    await guard.confirm();
    for (const { id } of patients) await store.remove(packKey(id), signal);
    return { packs: patients.length, saved, lost };
  });
}

function wholeIds(ids: readonly string[]): ReadonlySet<Id> {
  const wrong = ids.filter((id: string) => !isId(id));
  if (wrong.length > 0)
    throw new RespaldoError('usage', `not the whole id of a pack: ${wrong.join(', ')}`, {
      hint: '`respaldo check --read-data` names the damaged packs.',
    });
  return new Set(ids);
}

function locate(index: BlobIndex, wanted: ReadonlySet<Id>): Patient[] {
  const known = new Map<Id, Patient>();
  for (const { id, pack, rows } of index.packRows())
    if (wanted.has(id)) known.set(id, { id, pack, listed: rows.map((row) => index.at(row)) });
  return [...wanted].map((id) => known.get(id) ?? { id, pack: undefined, listed: [] });
}

/** Undefined if the index tells of it, but it is gone. A pack that the store cannot read is not given up: it throws. */
async function readWhole(
  { store }: RepositoryContext,
  { id, pack }: Patient,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return await store.read(packKey(id), undefined, signal);
  } catch (error) {
    if (!isError(error, 'store-missing')) throw error;
    if (pack !== undefined) return undefined;
    throw new RespaldoError('store-missing', `there is no pack ${id}`, {
      hint: '`respaldo check --read-data` names the damaged packs.',
      cause: error,
    });
  }
}

async function salvage(
  { sealer }: RepositoryContext,
  index: BlobIndex,
  { id, listed }: Patient,
  bytes: Uint8Array | undefined,
  writer: BlobWriter,
  { onFinding }: PackRepairOptions,
): Promise<{ readonly saved: number; readonly lost: number }> {
  if (bytes === undefined) onFinding?.(found.packMissing(id));
  const saved = new Set<string>();
  const lost = new Map<string, Finding>();
  const inHeader = bytes === undefined ? [] : attempt(() => parsePackHeader(id, bytes, bytes.length, sealer));
  // What the header tells and the index does not, or otherwise, may be a blob as well: its hash decides.
  for (const blob of [...listed, ...(inHeader instanceof RespaldoError ? [] : inHeader)]) {
    const name = `${blob.type} ${blob.id}`;
    if (saved.has(name)) continue;
    const sealed = bytes?.subarray(blob.offset, blob.offset + blob.length);
    const whole = sealed?.length === blob.length;
    const plain = whole ? attempt(() => unpackBlob(sealer, sealed, blob)) : undefined;
    if (plain instanceof Uint8Array) {
      await writer.add(blob.type, blob.id, plain);
      saved.add(name);
      lost.delete(name);
    } else lost.set(name, lostBlob(index, id, blob, plain?.message ?? 'the pack ends before it'));
  }
  for (const finding of lost.values()) onFinding?.(finding);
  return { saved: saved.size, lost: lost.size };
}

/** Where other packs hold the blob, too, nothing may be lost: only reading them could tell. */
function lostBlob(index: BlobIndex, pack: Id, { type, id }: PackedBlob, why: string): Finding {
  const others = index.findAll(type, id).filter((place) => place.pack !== pack);
  const finding = found.blobDamaged(type, id, pack, why);
  if (others.length === 0) return finding;
  return { ...finding, message: `${finding.message}; pack ${others[0]?.pack ?? ''} holds it as well` };
}

/** The result, or the damage that was met. */
function attempt<T>(work: () => T): T | RespaldoError {
  try {
    return work();
  } catch (error) {
    if (isError(error, 'repository-damaged')) return error;
    throw error;
  }
}
