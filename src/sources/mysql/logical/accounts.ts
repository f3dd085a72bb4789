import { RespaldoError } from '../../../errors.ts';
import { isAtLeast, type Version } from '../product.ts';
import { Session } from '../session.ts';
import { identifier, literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import type { ServerInventory } from './inventory.ts';

/** Somebody who may log in, or a role; with what makes it on another server. */
export interface Account {
  /** `user@host`; a role of MariaDB's has no host. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** Those that the server made for itself. */
const OWN = ['mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema'];
/** The account may not read the list. */
const NO_PRIVILEGE = [1142, 1143, 1044, 1227, 1410];

/** Listed, but ignored: a server that resolves no names does so with accounts of named hosts. */
const IGNORED = [1133, 1141, 1268];

/** Every account with its password's hash and its grants; undefined where ours may not read them. */
export async function readAccounts(tools: Toolbox, server: ServerInventory): Promise<readonly Account[] | undefined> {
  const listed = await listAccounts(tools, server);
  if (listed === undefined) return undefined;
  const accounts: Account[] = [];
  // An account that the server ignores ends the session: then the next one has a new session.
  for (let next = 0; next < listed.length; next++)
    try {
      await Session.with(tools, async (session) => {
        if (server.version.product === 'mysql' && isAtLeast(server.version, 8, 0, 17))
          // Hashes may hold bytes that are no text.
          await session.execute('SET SESSION print_identified_with_as_hex = ON');
        for (let one = listed[next]; one !== undefined; one = listed[++next])
          accounts.push({ name: one.name, statements: await statementsOf(session, one) });
      });
    } catch (error) {
      if (!hasNumber(error, IGNORED)) throw error;
    }
  return accounts;
}

/** `user@host` of each; undefined where ours may not read them. */
export async function accountNames(tools: Toolbox, server: ServerInventory): Promise<readonly string[] | undefined> {
  return (await listAccounts(tools, server))?.map(({ name }) => name);
}

interface ListedAccount {
  readonly name: string;
  /** As SQL has it. */
  readonly sql: string;
  readonly isRole: boolean;
  /** Others have its rights: in MySQL, where a role is an account as any. */
  readonly isGiven: boolean;
}

function isGiven(version: Version): string {
  if (version.product === 'mariadb' || !isAtLeast(version, 8)) return '0';
  return 'EXISTS (SELECT 1 FROM mysql.role_edges AS e WHERE e.FROM_USER = user.User AND e.FROM_HOST = user.Host)';
}

/** Roles first: others are granted them. */
async function listAccounts(
  tools: Toolbox,
  { version }: ServerInventory,
): Promise<readonly ListedAccount[] | undefined> {
  try {
    const rows = await Session.with(tools, (session) =>
      session.query(
        {
          user: 'User',
          host: 'Host',
          role: version.product === 'mariadb' ? 'is_role' : "'N'",
          given: isGiven(version),
        },
        'FROM mysql.user ORDER BY User, Host',
      ),
    );
    return rows
      .filter(({ user }) => !OWN.includes(user ?? ''))
      .map(({ user, host, role, given }) => {
        const isRole = role === 'Y';
        const name = isRole ? (user ?? '') : `${user ?? ''}@${host ?? ''}`;
        return {
          name,
          isRole,
          isGiven: isRole || given === '1',
          sql: isRole ? identifier(name) : `${literal(user ?? '')}@${literal(host ?? '')}`,
        };
      })
      .toSorted((a, b) => Number(b.isGiven) - Number(a.isGiven));
  } catch (error) {
    if (hasNumber(error, NO_PRIVILEGE)) return undefined;
    throw error;
  }
}

async function statementsOf(session: Session, { sql, isRole }: ListedAccount): Promise<readonly string[]> {
  const create = isRole
    ? [`CREATE ROLE IF NOT EXISTS ${sql}`]
    : (await session.show(`SHOW CREATE USER ${sql}`)).map(([made = '']) =>
        made.replace(/^CREATE USER /, 'CREATE USER IF NOT EXISTS '),
      );
  const grants = (await session.show(`SHOW GRANTS FOR ${sql}`)).map(([grant = '']) => grant);
  return [...create, ...grants];
}

function hasNumber(error: unknown, numbers: readonly number[]): boolean {
  return error instanceof RespaldoError && numbers.includes(Number(error.context['number']));
}

const MARK = '-- account ';

/** As a file: each account under a line that names it. */
export function accountsText(accounts: readonly Account[]): string {
  return accounts
    .map(({ name, statements }) => `${MARK}${JSON.stringify(name)}\n${statements.map((sql) => `${sql};\n`).join('')}`)
    .join('\n');
}

/** What such a file holds. */
export function parseAccounts(text: string): readonly Account[] {
  return text
    .split(/^(?=-- account ")/m)
    .filter((block) => block.startsWith(MARK))
    .map((block) => {
      const [line = '', ...rest] = block.split('\n');
      const statements = rest
        .join('\n')
        .split(/;\n/)
        .map((sql) => sql.trim());
      return {
        name: JSON.parse(line.slice(MARK.length)) as string,
        statements: statements.filter((sql) => sql !== ''),
      };
    });
}
