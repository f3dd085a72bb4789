import { RespaldoError } from '../../../errors.ts';
import { productName, type Version } from '../product.ts';
import type { Toolbox } from '../toolbox.ts';
import { mistakesCharset } from './dump-arguments.ts';
import type { ContentInventory, DatabaseInventory, ServerInventory } from './inventory.ts';

type Surveyed = DatabaseInventory & { readonly content: ContentInventory };

/**
 * A program of the other product dumps what both know. What it would dump in a way that cannot be restored is refused
 * beforehand.
 * @throws RespaldoError `source-refused`.
 */
export async function requireAbleProgram(
  tools: Toolbox,
  server: ServerInventory,
  databases: readonly Surveyed[],
): Promise<void> {
  const { name, version } = await tools.program('dump');
  const lack = lackOf(version, server, databases) ?? (await lackOfCharset(tools, version, server));
  if (lack === undefined) return;
  const own =
    server.version.product === 'mysql' ? 'mysqldump (Debian: mysql-client)' : 'mariadb-dump (Debian: mariadb-client)';
  throw new RespaldoError('source-refused', `${tools.server}: ${name} cannot dump this server: ${lack}`, {
    hint: `Install ${productName(server.version.product)}’s own client programs beside it: ${own}; they are preferred where they are there.`,
  });
}

/** @returns undefined: none. Exported for tests. */
export function lackOf(
  tool: Version,
  { version }: Pick<ServerInventory, 'version'>,
  databases: readonly {
    readonly name: string;
    readonly content: Pick<ContentInventory, 'tables' | 'computed' | 'routines'>;
  }[],
): string | undefined {
  if (tool.product === version.product) return undefined;
  for (const { name, content } of databases) {
    const [computed] = content.computed;
    if (tool.product === 'mariadb' && computed !== undefined)
      return `it writes values for the generated columns of ${computed} of "${name}", which MySQL refuses`;
    const sequence = content.tables.find(({ kind }) => kind === 'sequence')?.name;
    if (tool.product === 'mysql' && sequence !== undefined)
      return `it takes the sequence ${sequence} of "${name}" for a table`;
    const inPackage = content.routines.find(({ kind }) => kind === 'package')?.name;
    if (tool.product === 'mysql' && inPackage !== undefined)
      return `it leaves out the package ${inPackage} of "${name}"`;
  }
  return undefined;
}

async function lackOfCharset(tools: Toolbox, tool: Version, server: ServerInventory): Promise<string | undefined> {
  if (!mistakesCharset(tool, server)) return undefined;
  const help = await tools.text({ role: 'dump', args: ['--help'] });
  return /--init-command/.test(help) ? undefined : 'the two do not agree on a character set';
}
