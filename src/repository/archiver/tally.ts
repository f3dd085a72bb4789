/** Counts what a save did, as restic's summary does. */
import type { Finding } from '../../domain/finding.ts';
import type { SaveSummary } from '../repository.ts';
import type { BlobTally, FileTally } from './protocol.ts';

type Standing = 'new' | 'changed' | 'unmodified';

export class Tally {
  filesNew = 0;
  filesChanged = 0;
  filesUnmodified = 0;
  dirsNew = 0;
  dirsChanged = 0;
  dirsUnmodified = 0;
  dataBlobs = 0;
  treeBlobs = 0;
  dataAdded = 0;
  dataAddedPacked = 0;
  bytesProcessed = 0;

  get files(): number {
    return this.filesNew + this.filesChanged + this.filesUnmodified;
  }

  file(standing: Standing, bytes: number): void {
    if (standing === 'new') this.filesNew += 1;
    else if (standing === 'changed') this.filesChanged += 1;
    else this.filesUnmodified += 1;
    this.bytesProcessed += bytes;
  }

  directory(id: string, previous: string | undefined): void {
    if (previous === undefined) this.dirsNew += 1;
    else if (previous === id) this.dirsUnmodified += 1;
    else this.dirsChanged += 1;
  }

  addFiles(tally: FileTally): void {
    this.filesNew += tally.filesNew;
    this.filesChanged += tally.filesChanged;
    this.filesUnmodified += tally.filesUnmodified;
    this.bytesProcessed += tally.fileBytes;
  }

  addBlobs(type: 'data' | 'tree', tally: BlobTally): void {
    if (type === 'data') this.dataBlobs += tally.blobs;
    else this.treeBlobs += tally.blobs;
    this.dataAdded += tally.bytes;
    this.dataAddedPacked += tally.stored;
  }

  summary(startedAt: Date, finishedAt: Date, findings: readonly Finding[]): SaveSummary {
    return {
      filesNew: this.filesNew,
      filesChanged: this.filesChanged,
      filesUnmodified: this.filesUnmodified,
      dirsNew: this.dirsNew,
      dirsChanged: this.dirsChanged,
      dirsUnmodified: this.dirsUnmodified,
      dataBlobs: this.dataBlobs,
      treeBlobs: this.treeBlobs,
      dataAdded: this.dataAdded,
      dataAddedPacked: this.dataAddedPacked,
      totalFilesProcessed: this.files,
      totalBytesProcessed: this.bytesProcessed,
      startedAt,
      finishedAt,
      findings,
    };
  }
}
