/** What a dump holds of accounts, and what becomes of them at another server. */
import type { ArchivedAccounts, ArchivedRestoreRequest, ServerRestoreRequest } from '../../source.ts';
import { parseAccounts, type Account } from '../logical/accounts.ts';
import { definersOf } from '../logical/definers.ts';
import { parsePortableAccounts, type PortableAccounts } from '../logical/portable-accounts.ts';
import { Session } from '../session.ts';
import { literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import type { DumpedAccounts } from './obstacles.ts';
import { dumpOf, type SnapshotDump } from './snapshot-dump.ts';

type Request = Pick<ServerRestoreRequest, 'dump'> | Pick<ArchivedRestoreRequest, 'copies' | 'accounts'>;

/** Of a snapshot. Undefined: they could not be read when it was taken. */
export function snapshotAccounts({ facts, databases }: SnapshotDump): DumpedAccounts | undefined {
  return facts.accounts && { names: facts.accounts.names, definers: definersOf(databases) };
}

/** Of archives. Undefined: none are known. */
export async function archivedAccounts(accounts: ArchivedAccounts | undefined): Promise<DumpedAccounts | undefined> {
  if (accounts === undefined) return undefined;
  const { accounts: all, definers } = await readArchived(accounts);
  const own = definers.filter(({ database }) => accounts.databases.includes(database));
  const names = [...new Set(own.flatMap((one) => one.names))].toSorted();
  return { names: all.map(({ name }) => name), definers: names };
}

/** Grants on a whole server or database: those on single tables and routines would want them to be there. */
const WHOLE =
  /^(?:CREATE (?:USER|ROLE) |GRANT .* ON (?:\*|`(?:[^`]|``)+`)\.\* TO |REVOKE .* ON (?:\*|`(?:[^`]|``)+`)\.\* FROM )/s;

/** Of MySQL, in what makes an account: it would want them to be there, and to be granted. */
const DEFAULT_ROLES = /(?<=^CREATE USER .*) DEFAULT ROLE (?:`(?:[^`]|``)*`@`(?:[^`]|``)*`,?)+/s;

/**
 * Makes accounts, which the server lacks, with their grants on the server and on databases. If one cannot be made as it
 * was, none is.
 * @param names `user@host` of each
 */
export async function createAccounts(tools: Toolbox, names: readonly string[], request: Request): Promise<void> {
  const accounts = (await readAccounts(request)).filter(({ name }) => names.includes(name));
  const statements = accounts
    .flatMap((account) => account.statements.filter((sql) => WHOLE.test(sql)))
    .map((sql) => sql.replace(DEFAULT_ROLES, ''));
  try {
    await Session.with(tools, async (session) => {
      for (const sql of statements) await session.execute(sql);
    });
  } catch (error) {
    // One without what restricts it may do more than it should.
    await Session.with(tools, async (session) => {
      for (const { name } of accounts) await session.execute(`DROP USER IF EXISTS ${accountName(name)}`);
    });
    throw error;
  }
}

/** Those by whose rights something acts have a host, or are none. */
function accountName(name: string): string {
  const at = name.lastIndexOf('@');
  return `${literal(name.slice(0, at))}@${literal(name.slice(at + 1))}`;
}

async function readAccounts(request: Request): Promise<readonly Account[]> {
  const accounts = 'copies' in request ? request.accounts : 'file' in request.dump ? request.dump.accounts : undefined;
  if (accounts !== undefined) return (await readArchived(accounts)).accounts;
  if ('copies' in request || 'file' in request.dump) return [];
  const { snapshot, folder } = request.dump;
  const { facts } = await dumpOf(snapshot, folder);
  const text = facts.accounts === undefined ? undefined : await snapshot.read(facts.accounts.file);
  return parseAccounts(Buffer.from(text ?? []).toString('utf8'));
}

async function readArchived({ content }: ArchivedAccounts): Promise<PortableAccounts> {
  return parsePortableAccounts(Buffer.concat(await Array.fromAsync(content.read())).toString('utf8'));
}
