import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import type { DrillReport, DrillRequest, ProgramOrigin, SourceIo } from '../../source.ts';
import { readFacts } from '../facts.ts';
import { findLogicalFacts } from '../logical/logical-snapshot.ts';
import { drillDumps, majorOf as majorOfDumps } from './logical.ts';
import { drillFiles, majorOf } from './physical.ts';
import { findPrograms } from './programs.ts';

/** A new cluster, the log of a recovery, copied programs. Bytes. */
const OF_ITS_OWN = 512 * 1024 ** 2;

/** See {@link Driller.neededBytes}. */
export async function neededBytes(snapshot: ReadableSnapshot): Promise<number> {
  const dumps = await findLogicalFacts(snapshot);
  if (dumps === undefined) return (await readFacts(snapshot)).bytes + OF_ITS_OWN;
  return dumps.databases.reduce((sum, { bytes }) => sum + bytes, OF_ITS_OWN);
}

/** See {@link Driller.requirePrograms}. */
export async function requirePrograms(
  snapshot: ReadableSnapshot,
  { runtime, signal }: Pick<SourceIo, 'runtime' | 'signal'>,
): Promise<ProgramOrigin> {
  const dumps = await findLogicalFacts(snapshot);
  const major = dumps === undefined ? majorOf(await readFacts(snapshot)) : majorOfDumps(dumps);
  const { embedded } = await findPrograms(major, runtime, signal);
  return embedded ? 'embedded' : 'own';
}

/** See {@link Driller.drill}. */
export async function drill(request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const dumps = await findLogicalFacts(request.snapshot);
  return dumps === undefined
    ? drillFiles(await readFacts(request.snapshot), request, io)
    : drillDumps(dumps, request, io);
}
