import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { isSocket, type PostgresAddress } from './address.ts';

/** The password that libpq would use: given, in the address, `PGPASSWORD`, or a line of the password file. */
export async function findPassword(address: PostgresAddress, given: string | undefined): Promise<string | undefined> {
  const direct = given ?? address.password ?? process.env.PGPASSWORD;
  return direct ?? passwordFromFile(address);
}

/** libpq's rule: a file that others can read is ignored. A replication connection counts as database `replication`. */
async function passwordFromFile(address: PostgresAddress): Promise<string | undefined> {
  const path = address.passFile ?? join(homedir(), '.pgpass');
  try {
    const status = await stat(path);
    if (!status.isFile() || (status.mode & 0o077) !== 0) return undefined;
    return matchPassword(await readFile(path, 'utf8'), address);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The password of the first line `host:port:database:user:password` that fits. */
export function matchPassword(file: string, address: PostgresAddress): string | undefined {
  const host = isSocket(address.host) ? ['localhost', address.host] : [address.host];
  const wanted = [host, [String(address.port)], ['replication', 'postgres'], [address.user]];
  for (const line of file.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = splitLine(line.replace(/\r$/, ''));
    const fits = wanted.every((values, i) => fields[i] === '*' || values.includes(fields[i] ?? ''));
    if (fits && fields.length === 5) return fields[4];
  }
  return undefined;
}

/** Fields between colons; a backslash keeps the next character as it is. */
function splitLine(line: string): string[] {
  const fields = [''];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === ':') fields.push('');
    else {
      if (line[i] === '\\') i++;
      fields.push((fields.pop() ?? '') + (line[i] ?? ''));
    }
  }
  return fields;
}
