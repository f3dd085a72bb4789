import { readFile } from 'node:fs/promises';

/** Names of users, by their numbers. */
export type Accounts = ReadonlyMap<number, string>;

/** Those of `/etc/passwd`. */
export async function accounts(): Promise<Accounts> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  const entries = lines.map((line) => line.split(':')).filter((fields) => fields.length > 2);
  return new Map(entries.map(([name = '', , id]): [number, string] => [Number(id), name]));
}
