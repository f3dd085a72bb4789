import { systemClock } from '../../../clock.ts';
import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { chooseDatabases } from './choose-databases.ts';
import type { DatabaseInventory, ServerInventory } from './inventory.ts';
import { survey } from './survey.ts';
import { Toolbox } from './toolbox.ts';

/** What every dump begins with. */
export interface Outlook {
  /** Of the server's version, or newer. */
  readonly tools: Toolbox;
  readonly server: ServerInventory;
  /** Those that the address means. */
  readonly databases: readonly DatabaseInventory[];
  /** A database that lets us in. */
  readonly maintenance: string;
}

/** For so long what a check has seen is as good as what would be seen now. Milliseconds. */
const FRESH = 10_000;

/** What checks have seen, for whoever goes on with the same means. */
const SEEN = new WeakMap<
  SourceIo,
  { readonly address: BackupAddress; readonly outlook: Outlook; readonly at: number }
>();

/**
 * The same as {@link lookAt}, for a dump that may begin at once: it need not look again.
 * @param meanwhile called when the server has been asked and this process waits
 */
export async function lookAhead(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
  meanwhile: () => void,
): Promise<Outlook> {
  const outlook = await look(address, given, io, meanwhile);
  SEEN.set(io, { address, outlook, at: systemClock.monotonic() });
  return outlook;
}

/**
 * Looks at server, databases and programs.
 * @throws RespaldoError what cannot work at all
 */
export async function lookAt(address: BackupAddress, given: string | undefined, io: SourceIo): Promise<Outlook> {
  const seen = SEEN.get(io);
  SEEN.delete(io);
  const isFresh = seen?.address === address && systemClock.monotonic() - seen.at < FRESH;
  return isFresh ? seen.outlook : look(address, given, io);
}

async function look(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
  meanwhile: () => void = () => undefined,
): Promise<Outlook> {
  const anyPsql = await Toolbox.open(address, given, io.runtime, io.signal);
  const surveyed = survey(anyPsql, address);
  anyPsql.askAhead();
  meanwhile();
  const { server, databases, maintenance } = await surveyed;
  const chosen = chooseDatabases(databases, address, anyPsql.server);
  const tools = await anyPsql.ofVersion(Math.floor(server.number / 10_000));
  return { tools, server, databases: chosen, maintenance };
}
