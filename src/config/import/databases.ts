import type { OldDatabases } from './old-config.ts';
import type { Report } from './report.ts';
import type { SecretFiles } from './secrets.ts';
import { soundName } from './archives.ts';

/** Of MySQL and MariaDB themselves: never dumped, unless they are named. */
const SYSTEM = ['mysql', 'information_schema', 'performance_schema', 'sys'];
/** An argument that holds a password: as a separate word it was never one of these. */
const PASSWORD = /^(?:--password=|-p)(.+)$/s;

/**
 * Databases of a server, as the source of a plan; undefined where none were dumped.
 * @param refusalOf why the dump program would not be given an argument
 */
export function databasesSource(
  name: string,
  old: OldDatabases,
  secrets: SecretFiles,
  refusalOf: (argument: string) => string | undefined,
  report: Report,
): string | { readonly address: string; readonly password: { readonly file: string } } | undefined {
  const { all_databases_except_system: all = false, databases = [], extra_args: given = [] } = old;
  if (!all && databases.length === 0) {
    report.attention(
      'databases',
      'is missing, and all_databases_except_system is not true: nothing was dumped, nor is now',
    );
    return undefined;
  }
  const parameters = ['method=logical', ...excluded(old, report), ...passedOn(given, refusalOf, report)];
  const named = all ? '' : databases.map(encodeURIComponent).join(',');
  tellDatabases(old, report);
  const address = `mysql://${loginOf(old, report)}${hostOf(old, report)}/${named}?${parameters.join('&')}`;
  const inArgument = given.flatMap((argument) => PASSWORD.exec(argument)?.[1] ?? []).at(-1);
  const password = inArgument ?? old.password;
  if (password === undefined) return address;
  const reference = secrets.keep(`${soundName(name)}-password`, password);
  const where = `in the file ${reference.file}, which only you may read`;
  if (old.password !== undefined) report.taken('password', where);
  if (inArgument !== undefined) report.taken('extra_args', `the password: ${where}`);
  return { address, password: reference };
}

function tellDatabases({ all_databases_except_system: all, databases }: OldDatabases, report: Report): void {
  if (all !== undefined)
    if (all) report.taken('all_databases_except_system', 'no database is named in the address: all are meant');
    else report.needless('all_databases_except_system', 'the databases are named');
  if (databases === undefined) return;
  if (all) report.needless('databases', 'all_databases_except_system was true: it meant nothing');
  else report.taken('databases', 'named in the address of its plan');
}

function excluded(
  { all_databases_except_system: all, exclude_databases: list }: OldDatabases,
  report: Report,
): string[] {
  if (list === undefined) return [];
  if (!all) {
    report.needless('exclude_databases', 'the databases are named: it meant nothing');
    return [];
  }
  const own = list.filter((database) => !SYSTEM.includes(database));
  const spared = SYSTEM.filter((database) => !list.includes(database));
  if (own.length === 0) report.needless('exclude_databases', "the server's own databases are never dumped");
  else report.taken('exclude_databases', 'exclude= in the address of its plan');
  if (spared.length > 0)
    report.attention(
      'exclude_databases',
      `${spared.join(', ')} was dumped, and is not: users and grants are, by themselves`,
    );
  return own.map((database) => `exclude=${encodeURIComponent(database)}`);
}

function passedOn(
  given: readonly string[],
  refusalOf: (argument: string) => string | undefined,
  report: Report,
): string[] {
  const passed: string[] = [];
  for (const argument of given) {
    if (PASSWORD.test(argument)) continue;
    const refusal = refusalOf(argument);
    if (refusal === undefined) passed.push(argument);
    else report.attention('extra_args', `${refusal}: it is left out`);
  }
  if (passed.length > 0) report.taken('extra_args', `arg= in the address of its plan: ${passed.join(' ')}`);
  return passed.map((argument) => `arg=${encodeURIComponent(argument)}`);
}

function loginOf({ user }: OldDatabases, report: Report): string {
  if (user === undefined) return '';
  report.taken('user', 'in the address of its plan');
  return `${encodeURIComponent(user)}@`;
}

function hostOf({ host, port }: OldDatabases, report: Report): string {
  if (host === undefined || host === 'localhost') {
    if (host !== undefined) report.taken('host', 'in the address of its plan: through its socket, as mysqldump does');
    else
      report.taken(
        'host',
        "is not given: this machine's server, through its usual socket. Of ~/.my.cnf only user and password are read",
      );
    if (port !== undefined)
      report.needless('port', 'mysqldump reaches localhost through its socket, whatever the port');
    return host ?? '';
  }
  report.taken('host', 'in the address of its plan');
  if (port !== undefined) report.taken('port', 'in the address of its plan');
  return `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}${port === undefined ? '' : `:${String(port)}`}`;
}
