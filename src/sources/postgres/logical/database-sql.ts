/** The statements around a database's content. Pure. */
import type { DatabaseFacts } from './facts.ts';
import { grantee, identifier, literal } from './sql.ts';

const PROVIDERS: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };
const PROVIDERS_SINCE = 150_000;
const BUILTIN_LOCALE_SINCE = 170_000;

/** An empty database with the encoding and the order of text that the rows were stored under. */
export function createStatement(facts: DatabaseFacts, name: string, serverVersion: number): string {
  const provider = facts.localeProvider ?? 'c';
  const options = [
    'TEMPLATE = template0',
    `ENCODING = ${literal(facts.encoding)}`,
    `LC_COLLATE = ${literal(facts.collate)}`,
    `LC_CTYPE = ${literal(facts.ctype)}`,
    // To name the usual one takes a right that the role may lack.
    ...(facts.tablespace === 'pg_default' ? [] : [`TABLESPACE = ${identifier(facts.tablespace)}`]),
    ...(serverVersion >= PROVIDERS_SINCE ? [`LOCALE_PROVIDER = ${PROVIDERS[provider] ?? 'libc'}`] : []),
    ...(provider === 'i' && facts.locale !== null ? [`ICU_LOCALE = ${literal(facts.locale)}`] : []),
    ...(provider === 'i' && facts.icuRules !== null ? [`ICU_RULES = ${literal(facts.icuRules)}`] : []),
    ...(provider === 'b' && facts.locale !== null && serverVersion >= BUILTIN_LOCALE_SINCE
      ? [`BUILTIN_LOCALE = ${literal(facts.locale)}`]
      : []),
  ];
  return `CREATE DATABASE ${identifier(name)} ${options.join(' ')}`;
}

/** Owner, rights, settings: what a database has beside its content, but for the comment, which marks it until it is whole. */
export function propertyStatements(facts: DatabaseFacts, name: string): readonly string[] {
  const database = `DATABASE ${identifier(name)}`;
  const rights = facts.grants;
  return [
    `ALTER ${database} OWNER TO ${identifier(facts.owner)}`,
    // What the owner has by itself may have been taken away, too.
    ...(rights === null ? [] : [`REVOKE ALL ON ${database} FROM PUBLIC, ${identifier(facts.owner)}`]),
    ...(rights ?? []).map(
      (grant) =>
        `GRANT ${grant.privilege} ON ${database} TO ${grantee(grant.grantee)}${grant.grantable ? ' WITH GRANT OPTION' : ''}`,
    ),
    ...facts.settings.flatMap(({ role, values }) => values.map((value) => settingStatement(name, role, value))),
    ...(facts.connectionLimit < 0 ? [] : [`ALTER ${database} CONNECTION LIMIT ${String(facts.connectionLimit)}`]),
  ];
}

/** Settings that are lists of names, which PostgreSQL keeps as SQL has them: quoted where they must be. */
const LISTS = new Set([
  'search_path',
  'temp_tablespaces',
  'session_preload_libraries',
  'local_preload_libraries',
  'shared_preload_libraries',
]);

function settingStatement(name: string, role: string, setting: string): string {
  const [parameter = '', value = ''] = setting.split(/=(.*)/s, 2);
  const shown = LISTS.has(parameter.toLowerCase()) ? value || "''" : literal(value);
  const whose = role === '' ? '' : `ROLE ${identifier(role)} IN `;
  return `ALTER ${whose}DATABASE ${identifier(name)} SET ${identifier(parameter)} TO ${shown}`;
}

/** Of pg_dumpall's roles, the statements that make the missing ones. One statement a line, as it writes them. */
export function roleStatements(globals: string, missing: readonly string[]): readonly string[] {
  const names = new Set(missing.flatMap((role) => [role, identifier(role)]));
  return globals.split('\n').filter((line) => {
    const own = /^(?:CREATE|ALTER) ROLE ("(?:[^"]|"")*"|[^ ;]+)[ ;]/.exec(line)?.[1];
    if (own !== undefined) return names.has(own) && line.endsWith(';');
    const [, , member] = /^GRANT ("(?:[^"]|"")*"|\S+) TO ("(?:[^"]|"")*"|[^ ;]+)[ ;]/.exec(line) ?? [];
    return member !== undefined && names.has(member) && line.endsWith(';');
  });
}
