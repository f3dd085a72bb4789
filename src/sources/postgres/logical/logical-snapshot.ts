import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';
import { FACTS_PATH } from '../facts.ts';
import { logicalFacts, type LogicalFacts } from './facts.ts';

export function encodeLogicalFacts(value: LogicalFacts): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** @throws RespaldoError `repository-unsupported` if a newer Respaldo, or something else, wrote it. */
export async function readLogicalFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts> {
  const found = await findLogicalFacts(snapshot);
  if (found !== undefined) return found;
  throw new RespaldoError(
    'repository-unsupported',
    `${FACTS_PATH} of snapshot ${snapshot.id} does not describe a dump of PostgreSQL that this version knows`,
    { hint: 'A newer Respaldo may have taken it; its files can be restored as plain files: --target <folder>.' },
  );
}

/** Undefined: the snapshot is something else. */
export async function findLogicalFacts(snapshot: ReadableSnapshot): Promise<LogicalFacts | undefined> {
  const bytes = await snapshot.read(FACTS_PATH);
  if (bytes === undefined) return undefined;
  try {
    return logicalFacts.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
