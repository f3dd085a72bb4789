import type { Catalog, RunRecord } from '../catalog/catalog.ts';
import { expectedTime, type EarlierWork } from '../domain/expected-time.ts';

/** More of the past than this tells nothing of today. */
const LATEST_RUNS = 500;

/**
 * How long a restore to a place (a folder's path, a server's name) will take, in milliseconds: as earlier ones to the
 * same place did, or else as those to others of its sort. Undefined where none was recorded.
 */
export async function expectRestore(
  catalog: Pick<Catalog, 'runs'>,
  place: string,
  bytes: number,
): Promise<number | undefined> {
  const runs = (await catalog.runs({ limit: LATEST_RUNS })).filter(
    ({ operation, outcome }) => operation === 'restore' && outcome?.state === 'succeeded',
  );
  const same = runs.filter(({ subject }) => subject === place);
  const alike = runs.filter(({ subject }) => isFolder(subject) === isFolder(place));
  return expectedTime(bytes, same.flatMap(workOf)) ?? expectedTime(bytes, alike.flatMap(workOf));
}

function isFolder(place: string): boolean {
  return place.startsWith('/');
}

function workOf({ startedAt, outcome }: RunRecord): EarlierWork[] {
  if (outcome?.bytesProcessed === undefined) return [];
  return [{ bytes: outcome.bytesProcessed, milliseconds: outcome.finishedAt.getTime() - startedAt.getTime() }];
}
