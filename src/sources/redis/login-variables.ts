/** What images call the password of the server that they make. `<NAME>_FILE` names a file that holds it. */
export const PASSWORDS = ['REDISCLI_AUTH', 'REDIS_PASSWORD', 'VALKEY_PASSWORD', 'REDIS_MASTER_PASSWORD'];

/** Whom a password without a name belongs to. */
export const SUPERUSER = 'default';
