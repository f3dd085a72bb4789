import { isError } from '../../../errors.ts';
import type { BackupAddress } from '../address.ts';
import { inspectDatabases, inspectServer, type DatabaseInventory, type ServerInventory } from './inventory.ts';
import { withSession } from './sessions.ts';
import type { Toolbox } from './toolbox.ts';

export interface Survey {
  readonly server: ServerInventory;
  readonly databases: readonly DatabaseInventory[];
  /** The database that was asked in. */
  readonly maintenance: string;
}

/** Looks at a server, in whichever database lets us in: the one that is named, or those that every server has. */
export async function survey(tools: Toolbox, { databases }: Pick<BackupAddress, 'databases'>): Promise<Survey> {
  let failure: unknown;
  for (const maintenance of new Set([...databases.slice(0, 1), 'postgres', 'template1'])) {
    try {
      return await withSession(tools, maintenance, async (session) => ({
        server: await inspectServer(session),
        databases: await inspectDatabases(session),
        maintenance,
      }));
    } catch (error) {
      failure ??= error;
      if (!isError(error, 'source-refused') || !isAboutDatabase(error.context.sqlstate)) throw error;
    }
  }
  throw failure;
}

/** Another database may let us in. */
function isAboutDatabase(sqlstate: unknown): boolean {
  return sqlstate === '3D000' || sqlstate === '28000' || sqlstate === '42501';
}
