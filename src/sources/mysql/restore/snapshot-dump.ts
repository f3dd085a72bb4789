import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { databasesIn } from '../../server/dumped-databases.ts';
import { readFacts, type DatabaseFacts, type LogicalFacts } from '../logical/facts.ts';

/** What a snapshot holds of what is to be restored. */
export interface SnapshotDump {
  readonly facts: LogicalFacts;
  readonly databases: readonly DatabaseFacts[];
}

/** The databases of a snapshot that are meant: all of them, or that of a folder. */
export async function dumpOf(snapshot: ReadableSnapshot, folder: string | undefined): Promise<SnapshotDump> {
  const facts = await readFacts(snapshot);
  return { facts, databases: databasesIn(snapshot, facts.databases, folder) };
}
