/** How restic lays a repository out in a place, and what follows from it for whoever sweeps or walks there. */

/** One for each kind of object. */
export const FOLDERS: readonly string[] = ['data', 'index', 'keys', 'locks', 'snapshots'];
/** What restic does not know: proofs, write-ahead logs. */
const OUR_FOLDER = 'respaldo';
/** Below `data`: `00` … `ff`. */
export const PACK_FOLDERS: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
/** A day: no write of one object lasts so long. */
export const LONGEST_WRITE_MS = 24 * 60 * 60 * 1000;

/** The prefixes below which a sweep looks: of a repository's own place, or of one that others use, too. */
export function sweptPrefixes(isShared: boolean): readonly string[] {
  return isShared ? [''] : [...FOLDERS, OUR_FOLDER].map((name) => `${name}/`);
}

/** Symbolic links to folders are followed where people put them (`data` on another disk), so that none can loop. */
export function mayFollow(key: string): boolean {
  return key.split('/').length <= 2;
}
