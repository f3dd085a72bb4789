import { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { refuse } from './used-blobs.ts';

/** Which place of each used blob is kept. */
export interface Chosen {
  /** By row: exactly one for each used blob. */
  readonly kept: BlobBits;
  readonly used: number;
  readonly unused: number;
  /** Further places of used blobs. */
  readonly duplicate: number;
}

/**
 * Chooses one place for each used blob. Of several it is the one in the pack with the smallest share of waste, or the
 * largest of those, so that after an interrupted prune the repacked packs win over those they replace.
 *
 * @param used by the first row of each blob
 * @param isSound whether a pack, by its number, is in the store with the size it should have
 * @throws RespaldoError `repository-damaged` if a used blob lies in no sound pack
 */
export function chooseCopies(index: BlobIndex, used: BlobBits, isSound: (pack: number) => boolean): Chosen {
  const kept = new BlobBits(index.size);
  const counts = { used: 0, unused: 0, duplicate: 0 };
  const firsts = index.firstCopies();
  const isBetter = preference(index, used, firsts);
  const repeated = new BlobBits(index.size);
  for (const [row, first] of firsts.entries()) if (row > first) repeated.add(first);
  for (const [row, first] of firsts.entries()) {
    if (!used.has(first)) counts.unused += 1;
    else if (row > first) counts.duplicate += 1;
    else {
      const places = repeated.has(row) ? index.copiesOf(row) : [row];
      const sound = places.filter((place) => isSound(index.packOf(place)));
      if (sound.length === 0) throw lost(index, row);
      kept.add(sound.reduce((best, place) => (isBetter(place, best) ? place : best)));
      counts.used += 1;
    }
  }
  return { kept, ...counts };
}

/** Whether one place is better than another, by the packs they are in. */
function preference(index: BlobIndex, used: BlobBits, firsts: Uint32Array): (place: number, other: number) => boolean {
  const total = new Float64Array(index.packCount);
  const waste = new Float64Array(index.packCount);
  for (const [row, first] of firsts.entries()) {
    const pack = index.packOf(row);
    const bytes = index.bytesOf(row);
    total[pack] = (total[pack] ?? 0) + bytes;
    if (!used.has(first)) waste[pack] = (waste[pack] ?? 0) + bytes;
  }
  const share = (pack: number) => (waste[pack] ?? 0) / (total[pack] ?? 1);
  return (place, other) => {
    const [a, b] = [index.packOf(place), index.packOf(other)];
    return share(a) === share(b) ? (total[a] ?? 0) > (total[b] ?? 0) : share(a) < share(b);
  };
}

function lost(index: BlobIndex, row: number): Error {
  const { type, id, pack } = index.at(row);
  return refuse(`${type} blob ${id} is needed, but its pack ${pack} is missing or truncated`);
}
