/** What images call the user and the password of the server that they make. `<NAME>_FILE` names a file that holds it. */

/** libpq's own name counts most. */
const USERS = ['PGUSER', 'POSTGRES_USER', 'POSTGRESQL_USERNAME', 'POSTGRESQL_USER'];
const PASSWORDS = ['PGPASSWORD', 'POSTGRES_PASSWORD', 'POSTGRESQL_PASSWORD'];
/** Of images whose superuser is not the user that they make. */
const SUPERUSER_PASSWORDS = [
  'POSTGRESQL_POSTGRES_PASSWORD',
  'POSTGRES_POSTGRES_PASSWORD',
  'POSTGRESQL_ADMIN_PASSWORD',
  'PGPASSWORD_SUPERUSER',
];

export const SUPERUSER = 'postgres';

/** The variables that may tell the login, the first counting most; where none tells the user it is {@link SUPERUSER}. */
export function loginVariables(isSet: (name: string) => boolean): {
  readonly users: readonly string[];
  readonly passwords: readonly string[];
} {
  const knows = (name: string): boolean => isSet(name) || isSet(`${name}_FILE`);
  if (SUPERUSER_PASSWORDS.some(knows) && !knows('PGUSER')) return { users: [], passwords: SUPERUSER_PASSWORDS };
  return { users: USERS, passwords: PASSWORDS };
}
