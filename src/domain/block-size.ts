const KIB = 1024;
const MIB = 1024 * KIB;

export const LARGEST_BLOCK = 8 * MIB;

/**
 * How large a cluster must be for the share of metadata to matter, and the block that keeps it small there: a block
 * costs 153 bytes (index 45, tree 35, pack 73), so 96 KiB cost 0.16 % and leave room for what every file costs.
 */
const LARGE_CLUSTER = 10_000_000_000;
const FRUGAL_BLOCK = 96 * KIB;

/**
 * A directory's tree is one blob that is written anew on every change: 67 bytes for each block of its files. All of a
 * cluster may lie in one directory; what is left of 64 MiB is for the files' names.
 */
const TREE_BUDGET = 48 * MIB;
const TREE_BYTES_PER_BLOCK = 67;

/**
 * The block that a relation file is cut into, in bytes: whole pages, at most 8 MiB. Small blocks find more of what did
 * not change, large ones cost less metadata. So a block grows with the file (with its square root, so that neither the
 * number of blocks nor their size runs away: 16 KiB for a segment of 1 GiB) and with the cluster (evenly up to 10 GB, then so that trees stay below their limit).
 * It grows in steps, because a file whose block changes is stored anew as a whole.
 *
 * @param fileBytes size of the file now.
 * @param clusterBytes size of everything that the backup holds, about.
 * @param pageBytes the server's page size: a power of two, usually 8192.
 */
export function chooseBlock(fileBytes: number, clusterBytes: number, pageBytes: number): number {
  const byFile = Math.sqrt(fileBytes) / 2;
  const byCluster = FRUGAL_BLOCK * Math.min(clusterBytes / LARGE_CLUSTER, 1);
  const byTree = (clusterBytes * TREE_BYTES_PER_BLOCK) / TREE_BUDGET;
  return Math.min(stepUp(Math.max(byFile, byCluster, byTree), pageBytes), LARGEST_BLOCK);
}

/** The next of 1, 2, 3, 4, 6, 8, 12, 16 … pages that holds `bytes`. */
function stepUp(bytes: number, pageBytes: number): number {
  let pages = 1;
  while (pages * pageBytes < bytes)
    pages = Number.isInteger(Math.log2(pages)) && pages > 1 ? pages * 1.5 : nextPower(pages);
  return pages * pageBytes;
}

function nextPower(pages: number): number {
  return 2 ** (Math.floor(Math.log2(pages)) + 1);
}

/** Whether a parent's block can be kept: whole pages, within the limit. */
export function isBlock(bytes: number, pageBytes: number): boolean {
  return bytes >= pageBytes && bytes <= LARGEST_BLOCK && bytes % pageBytes === 0;
}
