/** Reading the blobs that are wanted from a pack: which stretches of it to read. */

/** Bytes that are not wanted are read along up to here: cheaper than another read. */
const LARGEST_GAP = 128 * 1024;
/** A stretch ends once it is this long; its last blob may take it beyond. */
const LONG_ENOUGH = 4 * 1024 * 1024;

interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** The stretches that hold all extents, which come in the order of their offsets and do not overlap. */
export function readRuns(extents: Iterable<Extent>): Extent[] {
  const runs: { offset: number; length: number }[] = [];
  let run: { offset: number; length: number } | undefined;
  for (const { offset, length } of extents) {
    const end = run === undefined ? 0 : run.offset + run.length;
    if (run !== undefined && offset - end <= LARGEST_GAP && run.length < LONG_ENOUGH)
      run.length = Math.max(end, offset + length) - run.offset;
    else runs.push((run = { offset, length }));
  }
  return runs;
}
