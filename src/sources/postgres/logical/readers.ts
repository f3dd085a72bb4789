import { isError } from '../../../errors.ts';
import { CopyRows } from '../wire/copy-rows.ts';
import { DirectSocket } from '../wire/direct-socket.ts';
import { CopySession } from './copy-session.ts';
import { joinSnapshot, joinStatements, type HeldSnapshot } from './snapshot-session.ts';
import type { TableReader } from './table-reader.ts';
import type { Toolbox } from './toolbox.ts';

interface Snapshot {
  readonly database: string;
  /** Of the server: 150008. */
  readonly version: number;
  readonly held: HeldSnapshot;
}

/**
 * Adds readers of the snapshot. A connection of our own costs half of what psql does; where the server does not take
 * it, psql reads.
 * @param into whoever owns it ends them, those too that were there before one failed.
 */
export async function openReaders(
  into: TableReader[],
  wanted: number,
  tools: Toolbox,
  snapshot: Snapshot,
): Promise<void> {
  const opened = await Promise.allSettled(
    Array.from({ length: wanted }, async () => {
      const own = await connectReader(tools, snapshot, wanted > 1);
      into.push(own ?? (await joinSnapshot(tools, snapshot.database, snapshot.version, snapshot.held)));
    }),
  );
  for (const one of opened) if (one.status === 'rejected') throw one.reason;
}

/** Undefined: only libpq knows the way. */
async function connectReader(
  { direct, signal }: Toolbox,
  { database, version, held }: Snapshot,
  isOneOfSeveral: boolean,
): Promise<TableReader | undefined> {
  if (direct === undefined) return undefined;
  const copied = new CopyRows();
  const connection = await direct.connect({ database, socket: () => new DirectSocket(copied.input) }, signal);
  if (connection === undefined) return undefined;
  try {
    for (const statements of joinStatements(version, held)) await connection.query(statements);
    return new CopySession(connection, copied, isOneOfSeveral, signal);
  } catch (error) {
    await connection.close();
    if (isError(error, 'cancelled') || signal.aborted) throw error;
    return undefined;
  }
}
