/** What the parts of one save share. */
import type { SavedItem } from '../repository.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Crew } from '../workers/crew.ts';
import type { BlobSink } from './blob-sink.ts';
import type { Batches } from './batches.ts';
import type { Parents } from './parents.ts';
import type { Answer, FilledPack, Task } from './protocol.ts';
import type { StreamSaver } from './stream-saver.ts';
import type { Tally } from './tally.ts';

export interface Saving {
  readonly crew: Crew<Task, Answer, FilledPack>;
  readonly trees: BlobSink;
  readonly batches: Batches;
  readonly streams: StreamSaver;
  readonly parents: Parents;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  readonly report: (finding: Finding) => void;
  /** Wants to know of each entry what became of it. */
  readonly tell: ((item: SavedItem) => void) | undefined;
  readonly progress: (currentFile?: string) => void;
}
