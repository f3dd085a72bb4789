/** Names of users and groups, from this machine's own files. */
import { readFileSync } from 'node:fs';

/** Numeric id → name; empty where the file cannot be read. */
function readNames(file: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return names;
  }
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':');
    if (name !== undefined && id !== undefined && /^\d+$/.test(id) && !names.has(Number(id)))
      names.set(Number(id), name);
  }
  return names;
}

export class Accounts {
  readonly #users = readNames('/etc/passwd');
  readonly #groups = readNames('/etc/group');

  user(uid: number): string | undefined {
    return this.#users.get(uid);
  }

  group(gid: number): string | undefined {
    return this.#groups.get(gid);
  }
}
