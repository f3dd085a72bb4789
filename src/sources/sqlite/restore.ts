import { open, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { RestoreTarget, SourceIo } from '../source.ts';
import { FACTS_PATH, FOLDER, readFacts } from './facts.ts';
import { inspect, requireSound } from './inspection.ts';

/** In the target, until the database is whole and checked. */
const UNFINISHED = '.unfinished';

/** The file gets its name when it is whole: nobody opens half a database. */
export async function restore(snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo): Promise<void> {
  const { folder } = into;
  const { file } = await readFacts(snapshot);
  // Nothing of the snapshot, but the target is made, and refused if something is in it: the log of another database
  // would be taken for the log of this one.
  await into.extract('/', folder, [FOLDER, FACTS_PATH]);
  const unfinished = join(folder, UNFINISHED);
  await into.extract(FOLDER, unfinished);
  requireSound(join(folder, file), await inspect(join(unfinished, file), io), io.report, true);
  await rename(join(unfinished, file), join(folder, file));
  await rmdir(unfinished);
  await using target = await open(folder);
  await target.sync();
}
