import { RespaldoError } from '../../../errors.ts';
import type { ArchivedRestoreRequest, ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { parseTarget } from '../address.ts';
import { serverVersion } from '../product.ts';
import { Toolbox } from '../toolbox.ts';
import { createAccounts } from './dumped-accounts.ts';
import { makePacketRoom, setPacketRoom } from './packet-room.ts';
import { Place } from './place.ts';
import { restorableCopies, restorablesOf, type Restorable } from './restorable.ts';

/** How long putting in place, or tidying up, may take when all else was cancelled. */
const TIDY_MS = 600_000;

/**
 * Everything is verified first; then each database is made beside the one that it replaces, compared with the dump's
 * record, and takes its place. Until then the server's databases are untouched, unless `inPlace` asks for room.
 */
export async function carryOutServerRestore(
  plan: ServerRestorePlan,
  request: ServerRestoreRequest,
  io: SourceIo,
): Promise<void> {
  requireNoObstacle(plan);
  await fill(plan, await restorablesOf(plan, request), request, io);
}

/** The same of files of archives; nobody knows what they should hold, beside their checksums. */
export async function carryOutArchivedRestore(
  plan: ServerRestorePlan,
  request: ArchivedRestoreRequest,
  io: SourceIo,
): Promise<void> {
  requireNoObstacle(plan);
  await fill(plan, restorableCopies(plan, request.copies), request, io);
}

function requireNoObstacle({ obstacles, server }: ServerRestorePlan): void {
  if (obstacles.length === 0) return;
  throw new RespaldoError('target-refused', `cannot restore to ${server}`, { hint: obstacles.join(' ') });
}

async function fill(
  plan: ServerRestorePlan,
  restorables: readonly Restorable[],
  request: ServerRestoreRequest | ArchivedRestoreRequest,
  io: SourceIo,
): Promise<void> {
  let longest = 0;
  for (const { verify } of restorables) longest = Math.max(longest, await verify());
  const { server: address } = parseTarget(request.address, io.runtime.kind === 'host');
  const open = async (signal: AbortSignal): Promise<Toolbox> => {
    const tools = await Toolbox.open(address, request.password, io.runtime, signal);
    tools.fit(serverVersion(plan.serverVersion, '').product);
    return tools;
  };
  const tools = await open(io.signal);
  await using undoing = new AsyncDisposableStack();
  const room = await makePacketRoom(tools, longest);
  if (room !== undefined) undoing.defer(async () => setPacketRoom(await open(AbortSignal.timeout(TIDY_MS)), room));
  if (request.createRoles && plan.missingRoles.length > 0) await createAccounts(tools, plan.missingRoles, request);
  await inSomeOrder(restorables, async (restorable) => {
    const place = new Place(tools, restorable.planned, request, () => open(AbortSignal.timeout(TIDY_MS)));
    await place.fill(restorable, io);
  });
}

/** A table, view, routine or database that is not there. */
const MISSING = [1049, 1146, 1305, 1356];

/** Views may read other databases, which then have to be there before: whoever misses something tries again after them. */
async function inSomeOrder<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let waiting = items;
  while (waiting.length > 0) {
    const postponed: T[] = [];
    let failure: unknown;
    for (const item of waiting)
      try {
        await work(item);
      } catch (error) {
        const isMissing = error instanceof RespaldoError && MISSING.includes(Number(error.context['number']));
        if (!isMissing) throw error;
        postponed.push(item);
        failure ??= error;
      }
    if (postponed.length === waiting.length) throw failure;
    waiting = postponed;
  }
}
