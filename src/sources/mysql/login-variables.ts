/** What images call the users and passwords of the server that they make. `<NAME>_FILE` names a file that holds it. */

export interface LoginVariables {
  /** Names of variables that hold the user; empty: it is {@link SUPERUSER}. */
  readonly users: readonly string[];
  /** Of its password, the first that is set counting. */
  readonly passwords: readonly string[];
}

export const SUPERUSER = 'root';

const ROOT_PASSWORDS = ['MARIADB_ROOT_PASSWORD', 'MYSQL_ROOT_PASSWORD'];
/** Images that give their superuser another name say so by these. */
const ROOT_USERS = ['MARIADB_ROOT_USER', 'MYSQL_ROOT_USER'];
const USERS = ['MARIADB_USER', 'MYSQL_USER'];
const PASSWORDS = ['MARIADB_PASSWORD', 'MYSQL_PASSWORD'];
/** Their superuser has none. */
const WITHOUT_PASSWORD = [
  'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD',
  'MYSQL_ALLOW_EMPTY_PASSWORD',
  'MARIADB_ALLOW_EMPTY_PASSWORD',
  'ALLOW_EMPTY_PASSWORD',
];

/** The superuser where its password is known, or it has none; else the user that the image made. */
export function loginVariables(isSet: (name: string) => boolean): LoginVariables {
  const knows = (name: string): boolean => isSet(name) || isSet(`${name}_FILE`);
  if (ROOT_PASSWORDS.some(knows)) return { users: ROOT_USERS, passwords: ROOT_PASSWORDS };
  const isOpen = WITHOUT_PASSWORD.some(knows);
  if (!isOpen && USERS.some(knows) && PASSWORDS.some(knows)) return { users: USERS, passwords: PASSWORDS };
  return { users: ROOT_USERS, passwords: [] };
}
