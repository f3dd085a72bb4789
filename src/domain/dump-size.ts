/** What the size of a database's dump decides. Pure. */

const KIB = 1024;
const MIB = 1024 * KIB;

const SMALLEST_CUT = 16 * KIB;
const LARGEST_CUT = MIB;
/** How far the parent's cut may be off before a full chooses another one, which stores everything anew. */
const PATIENCE = 4;

/**
 * Bytes of the pieces that dumps are cut into, on average: small ones find more of what did not change, large ones cost
 * less metadata (some 150 bytes each). So they grow with the square root of what there is: 32 KiB for 500 MB, 128 KiB
 * for 10 GB. As long as that is not far off, they stay what they were.
 */
export function chooseCut(bytes: number, before: { readonly cut: number } | undefined): number {
  const wanted = 2 ** Math.floor(Math.log2(1.5 * Math.sqrt(Math.max(bytes, 1))));
  const cut = Math.min(Math.max(wanted, SMALLEST_CUT), LARGEST_CUT);
  if (before === undefined) return cut;
  const ratio = before.cut / cut;
  return ratio <= PATIENCE && ratio >= 1 / PATIENCE ? before.cut : cut;
}

/** A dump of less than this share of the one before is suspicious, unless it was tiny anyway. */
const SUSPICIOUS_SHARE = 0.5;
const TINY = 64 * KIB;

export function isSuspiciouslySmall(dumpBytes: number, before: { readonly dumpBytes: number } | undefined): boolean {
  return before !== undefined && before.dumpBytes > TINY && dumpBytes < before.dumpBytes * SUSPICIOUS_SHARE;
}
