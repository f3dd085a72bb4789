/** As large as a hole can be small: what file systems allocate at once. */
const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

export interface Run {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Where bytes are something else than zeros, block by block. Remembers the last answer: a blob may have many places. */
export class DataRuns {
  #bytes: Uint8Array | undefined;
  #runs: readonly Run[] = [];

  of(bytes: Uint8Array): readonly Run[] {
    if (bytes !== this.#bytes) {
      this.#runs = dataRuns(bytes);
      this.#bytes = bytes;
    }
    return this.#runs;
  }
}

export function dataRuns(bytes: Uint8Array): Run[] {
  const runs: Run[] = [];
  let from = -1;
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const end = Math.min(at + BLOCK, bytes.length);
    const isHole = ZEROS.compare(bytes, at, end, 0, end - at) === 0;
    if (isHole && from !== -1) {
      runs.push({ from, to: at });
      from = -1;
    } else if (!isHole && from === -1) from = at;
  }
  if (from !== -1) runs.push({ from, to: bytes.length });
  return runs;
}
