import type { PostgresAddress } from '../address.ts';
import { connect } from '../connection.ts';
import { isError } from '../../../errors.ts';
import { CopyRows } from '../wire/copy-rows.ts';
import { DirectSocket } from '../wire/direct-socket.ts';
import { CopySession } from './copy-session.ts';
import { joinSnapshot, joinStatements, type HeldSnapshot } from './snapshot-session.ts';
import type { TableReader } from './table-reader.ts';
import type { Toolbox } from './toolbox.ts';

/** How this process itself logs in: for a server that it can reach as the tools do. */
export interface DirectLogin {
  readonly address: PostgresAddress;
  readonly password: string | undefined;
}

/** In the place of what `PGOPTIONS` may hold: psql does not get that either. */
const OPTIONS = '-c synchronize_seqscans=off';

interface Snapshot {
  readonly database: string;
  /** Of the server: 150008. */
  readonly version: number;
  readonly held: HeldSnapshot;
  readonly direct: DirectLogin | undefined;
}

/**
 * Adds readers of the snapshot. A connection of our own costs half of what psql does; where the server does not take
 * it (it may know ways to log in that only libpq knows), psql reads.
 * @param into whoever owns it ends them, those too that were there before one failed.
 */
export async function openReaders(
  into: TableReader[],
  wanted: number,
  tools: Toolbox,
  snapshot: Snapshot,
): Promise<void> {
  const first = await connectReader(snapshot, wanted > 1, tools.signal);
  if (first !== undefined) into.push(first);
  const isAlone = first === undefined;
  const opened = await Promise.allSettled(
    Array.from({ length: wanted - into.length }, async () => {
      const own = isAlone ? undefined : await connectReader(snapshot, true, tools.signal);
      into.push(own ?? (await joinSnapshot(tools, snapshot.database, snapshot.version, snapshot.held)));
    }),
  );
  for (const one of opened) if (one.status === 'rejected') throw one.reason;
}

/** Undefined: only libpq knows the way. */
async function connectReader(
  { database, version, held, direct }: Snapshot,
  isOneOfSeveral: boolean,
  signal: AbortSignal,
): Promise<TableReader | undefined> {
  if (direct === undefined) return undefined;
  const { address, password } = direct;
  try {
    const purpose = { database, options: OPTIONS, socket: () => new DirectSocket(CopyRows.get().input) };
    const connection = await connect(address, password, purpose, signal);
    try {
      for (const statements of joinStatements(version, held)) await connection.query(statements);
      return new CopySession(connection, isOneOfSeveral, signal);
    } catch (error) {
      await connection.close();
      throw error;
    }
  } catch (error) {
    if (isError(error, 'cancelled') || signal.aborted) throw error;
    return undefined;
  }
}
