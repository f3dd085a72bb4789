/** Portable files in stores: all that others may import of this folder. */
export type { ArchivePlace, Encryption, Keys } from './archive.ts';
export { requireAgeRecipients } from './age.ts';
export { findGpgKeys } from './gpg.ts';
export { sendLeftovers } from './leftovers.ts';
export { listArchive, removeArchivedFile, type ArchivedFile, type ArchiveListing } from './listing.ts';
export type { Manifest } from './manifest.ts';
export { plainContent, storedContent } from './reader.ts';
export { writeArchiveFile, type NewArchiveFile, type WrittenFile } from './writer.ts';
