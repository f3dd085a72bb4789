import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { Session } from '../session.ts';
import { RespaldoError } from '../../../errors.ts';
import type { Access } from '../access.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Connector } from '../wire/connection.ts';
import { chooseDatabases } from './choose-databases.ts';
import {
  inspectContent,
  inspectDatabases,
  inspectServer,
  type ContentInventory,
  type DatabaseInventory,
  type ServerInventory,
} from './inventory.ts';
import { missingPrivileges, privilegesOf } from './privileges.ts';
import { requireAbleProgram } from './able-program.ts';
import { directLogin } from './direct-login.ts';
import { mayReadDirectly, usefulConnections } from './direct-reading.ts';

/** A server as it is before a dump, and what is going to be dumped. */
export interface Survey {
  readonly tools: Toolbox;
  readonly server: ServerInventory;
  readonly databases: readonly (DatabaseInventory & { readonly content: ContentInventory })[];
  /** For the dump program. */
  readonly extra: readonly string[];
  /** Absent: rows are read by the dump program. */
  readonly direct: Connector | undefined;
  /** How many of our own are of use. */
  readonly connections: number;
}

/**
 * Looks at tools, server and databases. Changes nothing.
 * @throws RespaldoError what cannot work at all: `tool-missing`, `source-refused`, `source-missing`, `usage`.
 */
export async function survey(address: BackupAddress, access: Access, io: SourceIo): Promise<Survey> {
  const tools = await access.tools(io);
  return Session.with(tools, async (session) => {
    const server = await inspectServer(session);
    tools.fit(server.version.product);
    await tools.program('dump');
    const chosen = chooseDatabases(await inspectDatabases(session), address, tools.server);
    requirePrivileges(server, chosen, tools.server);
    const databases = [];
    for (const database of chosen)
      databases.push({ ...database, content: await inspectContent(session, database.name) });
    const direct = mayReadDirectly(address, databases) ? await directLogin(tools, session) : undefined;
    if (direct === undefined) await requireAbleProgram(tools, server, databases);
    const connections = usefulConnections(address.jobs, databases);
    return { tools, server, databases, extra: address.extraArguments, direct, connections };
  });
}

/** A dump of what an account does not see would look whole. */
function requirePrivileges(
  { grants, account }: ServerInventory,
  databases: readonly DatabaseInventory[],
  server: string,
): void {
  const privileges = privilegesOf(grants);
  for (const { name } of databases) {
    const missing = missingPrivileges(privileges, name);
    if (missing.length > 0)
      throw new RespaldoError(
        'source-refused',
        `${server}: ${account} lacks ${missing.join(', ')} on "${name}", and would not see everything that is in it`,
        {
          hint: `Run GRANT ${missing.join(', ')} ON *.* TO the account, or leave the database out: exclude=${name} in the address.`,
        },
      );
  }
}
