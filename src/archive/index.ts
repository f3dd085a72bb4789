/** Portable files in stores: all that others may import of this folder, beside the port. */
export { requireAgeRecipients } from './age.ts';
export { chainOf } from './chain.ts';
export { compressionOf, foreignContent } from './foreign.ts';
export { findGpgKeys } from './gpg.ts';
export { sendLeftovers, sweepPlace } from './leftovers.ts';
export { listArchive, removeArchivedFile, type ArchiveListing } from './listing.ts';
export { manifestKey } from './manifest.ts';
export { plainContent, storedContent } from './reader.ts';
export { writeArchiveFile, type NewArchiveFile } from './writer.ts';
