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

/**
 * Looks at server, databases and programs.
 * @throws RespaldoError what cannot work at all
 */
export async function lookAt(address: BackupAddress, given: string | undefined, io: SourceIo): Promise<Outlook> {
  const anyPsql = await Toolbox.open(address, given, io.runtime, io.signal);
  const { server, databases, maintenance } = await survey(anyPsql, address);
  const chosen = chooseDatabases(databases, address, anyPsql.server);
  const tools = await anyPsql.ofVersion(Math.floor(server.number / 10_000));
  return { tools, server, databases: chosen, maintenance };
}
