/** An archiver's worker thread: reads directories, turns chunks into blobs, fills packs. */
import { Sealer } from '../format/crypto.ts';
import { Chunker } from '../format/chunker.ts';
import { NodeMatcher } from '../format/node-match.ts';
import { PackBuilder } from '../format/pack.ts';
import { Claims } from '../storage/claims.ts';
import { KnownBlobs } from '../storage/known-blobs.ts';
import { serve, type Emit, type Moved } from '../workers/serve.ts';
import { RespaldoError } from '../../errors.ts';
import { Accounts } from './accounts.ts';
import { BlobSink } from './blob-sink.ts';
import { Cutter, CUTTER_WINDOW } from './cutter.ts';
import { readDirectories, type Equipment } from './directory-reader.ts';
import type { Answer, ChunksTask, FilledPack, Task, WorkerData } from './protocol.ts';
import { Selector } from './selector.ts';

serve<WorkerData, Task, Answer, FilledPack>((data, emit) => {
  const claims = new Claims(data.claims);
  const equipment = equip(data, claims, emit);
  const selectors = new Map<number, Selector>();
  return (task) => {
    switch (task.kind) {
      case 'selection':
        selectors.set(task.number, new Selector(task.selection, task.reading));
        return done();
      case 'claims':
        claims.addSegment(task.segment);
        return done();
      case 'directories':
        return readDirectories(task.tasks, (number) => selectorOf(selectors, number), equipment);
      case 'chunks':
        return storeChunks(task, equipment.sink);
      case 'flush':
        return equipment.sink.flush().then(done);
    }
  };
});

function equip(data: WorkerData, claims: Claims, emit: Emit<FilledPack>): Equipment {
  const sealer = new Sealer(data.key);
  const builder = data.dryRun ? undefined : new PackBuilder('data', sealer, data.packing.levels.data, data.packing);
  const sink = new BlobSink('data', claims, builder, (pack) => emit({ value: pack, transfer: [pack.bytes.buffer] }));
  const accounts = new Accounts();
  return {
    sink,
    sealer,
    cutter: new Cutter(new Chunker(data.polynomial, CUTTER_WINDOW)),
    known: new KnownBlobs(data.claims.known),
    accounts,
    matcher: new NodeMatcher(accounts),
    tellItems: data.tellItems,
  };
}

async function storeChunks({ bytes, lengths }: ChunksTask, sink: BlobSink): Promise<Moved<Answer>> {
  const ids: string[] = [];
  let at = 0;
  for (const length of lengths) {
    ids.push(await sink.put(bytes.subarray(at, at + length)));
    at += length;
  }
  const transfer = bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
  return { value: { kind: 'chunks', ids, bytes, tally: sink.tally() }, transfer };
}

function selectorOf(selectors: ReadonlyMap<number, Selector>, number: number): Selector {
  const selector = selectors.get(number);
  if (selector === undefined) throw new RespaldoError('internal', `no selection ${String(number)}`);
  return selector;
}

function done(): Moved<Answer> {
  return { value: { kind: 'done' }, transfer: [] };
}
