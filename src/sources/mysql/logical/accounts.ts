import { RespaldoError } from '../../../errors.ts';
import { isAtLeast } from '../product.ts';
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

/** Every account with its password's hash and its grants; undefined where ours may not read them. */
export async function readAccounts(tools: Toolbox, server: ServerInventory): Promise<readonly Account[] | undefined> {
  try {
    return await Session.with(tools, (session) => accountsIn(session, server));
  } catch (error) {
    const isForbidden = error instanceof RespaldoError && NO_PRIVILEGE.includes(Number(error.context['number']));
    if (isForbidden) return undefined;
    throw error;
  }
}

async function accountsIn(session: Session, { version }: ServerInventory): Promise<readonly Account[]> {
  const isMaria = version.product === 'mariadb';
  // Hashes may hold bytes that are no text.
  if (!isMaria && isAtLeast(version, 8, 0, 17)) await session.execute('SET SESSION print_identified_with_as_hex = ON');
  const rows = await session.query(
    { user: 'User', host: 'Host', role: isMaria ? 'is_role' : "'N'" },
    'FROM mysql.user ORDER BY User, Host',
  );
  const accounts: Account[] = [];
  for (const row of rows.toSorted((a, b) => Number(b.role === 'Y') - Number(a.role === 'Y'))) {
    const [user, host] = [row.user ?? '', row.host ?? ''];
    if (OWN.includes(user)) continue;
    const isRole = row.role === 'Y';
    const account = isRole ? identifier(user) : `${literal(user)}@${literal(host)}`;
    const create = isRole
      ? [`CREATE ROLE IF NOT EXISTS ${account}`]
      : (await session.show(`SHOW CREATE USER ${account}`)).map(([made = '']) =>
          made.replace(/^CREATE USER /, 'CREATE USER IF NOT EXISTS '),
        );
    const grants = (await session.show(`SHOW GRANTS FOR ${account}`)).map(([grant = '']) => grant);
    accounts.push({ name: isRole ? user : `${user}@${host}`, statements: [...create, ...grants] });
  }
  return accounts;
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
