import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { findDumpFacts, readDumpFacts } from '../../server/snapshot-facts.ts';
import { logicalFacts, type LogicalFacts } from './facts.ts';

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export function readLogicalFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts> {
  return readDumpFacts(snapshot, logicalFacts, 'PostgreSQL');
}

/** Undefined: the snapshot is something else. */
export function findLogicalFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts | undefined> {
  return findDumpFacts(snapshot, logicalFacts);
}
