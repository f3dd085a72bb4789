import { RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import { Hold } from './hold.ts';
import { Place, type Grounds } from './place.ts';
import { ask, execute } from './psql-session.ts';
import type { Restorable } from './restorable.ts';
import { literal } from './sql.ts';
import type { Toolbox } from './toolbox.ts';

/** PostgreSQL's codes. */
const NO_PRIVILEGE = '42501';
const IN_USE = '55006';

/** Somebody may come back at once who was just sent away. */
const SWAP_ATTEMPTS = 5;

/**
 * Makes the databases beside those that they replace, all of them, and gives them their names in one transaction: they
 * are all in place, or none is and nothing has changed. With `inPlace` each takes the room of the one before it goes on.
 */
export async function putInPlace(restorables: readonly Restorable[], grounds: Grounds, io: SourceIo): Promise<void> {
  const places = restorables.map((restorable) => new Place(restorable, grounds));
  const turns = grounds.request.inPlace ? places.map((place) => [place]) : [places];
  for (const turn of turns) await putTogether(turn, grounds, io);
}

async function putTogether(places: readonly Place[], grounds: Grounds, io: SourceIo): Promise<void> {
  const begun: Place[] = [];
  await using hold = new Hold(grounds.tools);
  try {
    for (const place of places) {
      begun.push(place);
      await place.fill(hold);
    }
    await settle(grounds);
    throwIfAborted(io.signal);
    await swap(places, hold, grounds);
  } catch (error) {
    for (const place of begun) await place.tidy(io);
    throw begun.at(-1)?.explain(error) ?? error;
  }
  for (const place of places) await place.leave(io);
}

/** Everything is on the server's disk when this resolves, so that a full one shows now, not when the old is gone. */
async function settle({ tools, maintenance }: Grounds): Promise<void> {
  try {
    await execute(tools, maintenance, 'CHECKPOINT');
  } catch (error) {
    const mayNot = error instanceof RespaldoError && error.context.sqlstate === NO_PRIVILEGE;
    if (!mayNot) throw error;
  }
}

/** All names change together or not at all; who cancels now comes too late, and is not told otherwise. */
async function swap(places: readonly Place[], hold: Hold, grounds: Grounds): Promise<void> {
  const tools = await grounds.openCalm();
  const replaced = places.filter(({ old }) => old !== undefined).map(({ target }) => literal(target));
  const isEnding = replaced.length > 0 && grounds.request.disconnect;
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (${replaced.join(', ')})`;
  const ends = [...hold.endStatements, ...(isEnding ? [end] : [])];
  const statements = [...ends, 'BEGIN', ...places.flatMap((place) => place.swap), 'COMMIT'];
  for (let attempt = 1; ; attempt += 1) {
    try {
      await execute(tools, grounds.maintenance, statements.join(';\n'));
      return;
    } catch (error) {
      const isInUse = error instanceof RespaldoError && error.context.sqlstate === IN_USE;
      if (isInUse && isEnding && attempt < SWAP_ATTEMPTS) continue;
      // The connection may have broken when all was done.
      if (isInUse || !(await isSwapped(places, tools, grounds).catch(() => false))) throw error;
      return;
    }
  }
}

async function isSwapped(places: readonly Place[], tools: Toolbox, { maintenance }: Grounds): Promise<boolean> {
  const sides = places.map(({ side }) => literal(side)).join(', ');
  return (await ask(tools, maintenance, `SELECT FROM pg_database WHERE datname IN (${sides})`)).length === 0;
}
