import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { findDumpFacts, readDumpFacts } from '../../server/snapshot-facts.ts';
import { logicalFacts, type DatabaseFacts, type LogicalFacts } from './facts.ts';

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export function readLogicalFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts> {
  return readDumpFacts(snapshot, logicalFacts, 'PostgreSQL');
}

/** Undefined: the snapshot is something else. */
export function findLogicalFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts | undefined> {
  return findDumpFacts(snapshot, logicalFacts);
}

/** A database of it as one script: its files in the order in which they are restored. */
export async function* databaseScript(
  snapshot: ReadableSnapshot,
  { folder, relations }: DatabaseFacts,
): AsyncGenerator<Uint8Array> {
  const tables = relations.flatMap(({ files = [] }) => files);
  for (const file of ['schema.sql', 'data.sql', ...tables, 'constraints.sql'])
    yield* snapshot.stream(`${folder}/${file}`);
}
