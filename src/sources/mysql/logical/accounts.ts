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

/** MariaDB's role of everybody: it is always there, and cannot be made. */
const EVERYBODY = 'PUBLIC';

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

async function statementsOf(session: Session, { name, sql, isRole }: ListedAccount): Promise<readonly string[]> {
  const grants = (await session.show(`SHOW GRANTS FOR ${sql}`)).map(([grant = '']) => withoutPassword(grant));
  if (isRole) return name === EVERYBODY ? grants : [`CREATE ROLE IF NOT EXISTS ${sql}`, ...grants];
  const create = (await session.show(`SHOW CREATE USER ${sql}`)).map(([made = '']) =>
    made.replace(/^CREATE USER /, 'CREATE USER IF NOT EXISTS '),
  );
  return [...create, ...grants];
}

const GRANT_EVERYWHERE =
  /^(GRANT [^`']* ON \*\.\* TO (?:`(?:[^`]|``)*`@`(?:[^`]|``)*`|'(?:[^']|'')*'@'(?:[^']|'')*'))(.*)$/s;

/**
 * What makes an account says how it proves itself, and how much it may do. MariaDB says it in a grant again, which would
 * change the password of an account that is there.
 */
export function withoutPassword(grant: string): string {
  const [, head, rest = ''] = GRANT_EVERYWHERE.exec(grant) ?? [];
  if (head === undefined) return grant;
  const isHandedOn = / WITH\b.*\bGRANT OPTION\b/s.test(rest.replaceAll(/'(?:[^'\\]|\\.)*'/gs, "''"));
  return isHandedOn ? `${head} WITH GRANT OPTION` : head;
}

function hasNumber(error: unknown, numbers: readonly number[]): boolean {
  return error instanceof RespaldoError && numbers.includes(Number(error.context['number']));
}

const MARK = '-- account ';

/**
 * As a file: statements under a line that names their account. All accounts are made before anybody is granted anything:
 * a role may be granted to another one.
 */
export function accountsText(accounts: readonly Account[]): string {
  const isMaking = (sql: string): boolean => sql.startsWith('CREATE ');
  const part = (isWanted: (sql: string) => boolean): readonly string[] =>
    accounts.map(({ name, statements }) =>
      [`${MARK}${JSON.stringify(name)}\n`, ...statements.filter(isWanted).map((sql) => `${sql};\n`)].join(''),
    );
  return [...part(isMaking), ...part((sql) => !isMaking(sql))].join('\n');
}

/** An empty line, a comment, or a statement, in whose texts and names anything may be: quotes in them are doubled. */
const PIECES = /\n|--[^\n]*\n|(?:[^;'`]|;(?!\n)|'(?:[^'\\]|\\.)*'|`[^`]*`)+;\n/gsy;

/** What such a file holds, in the order in which it names accounts first. */
export function parseAccounts(text: string): readonly Account[] {
  const accounts = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece !== '\n' && !piece.startsWith('--')) current?.push(piece.slice(0, -2));
    if (!piece.startsWith(MARK)) continue;
    const name = JSON.parse(piece.slice(MARK.length)) as string;
    current = accounts.get(name) ?? [];
    accounts.set(name, current);
  }
  return Array.from(accounts, ([name, statements]) => ({ name, statements }));
}
