import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';

/** What somebody keeps in `~/.my.cnf` to log in; nothing else of it is read. */
export interface OptionFileLogin {
  readonly user?: string;
  readonly password?: string;
}

const SECTIONS = ['client', 'client-server', 'client-mariadb', 'mysqldump', 'mariadb-dump'];

/** A file that others can read is ignored, as its password is none. */
export async function readOptionFile(path = join(homedir(), '.my.cnf')): Promise<OptionFileLogin> {
  try {
    const status = await stat(path);
    if (!status.isFile() || (status.mode & 0o077) !== 0) return {};
    return parseOptionFile(await readFile(path, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return {};
  }
}

/** The last line that says something counts. */
export function parseOptionFile(text: string): OptionFileLogin {
  const found: { user?: string; password?: string } = {};
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const [, name] = /^\s*\[([^\]]*)\]/.exec(line) ?? [];
    section = name ?? section;
    if (!SECTIONS.includes(section)) continue;
    const [, key, value = ''] = /^\s*(user|password)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === 'user') found.user = unquoted(value);
    if (key === 'password') found.password = unquoted(value);
  }
  return found;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b', r: '\r', s: ' ', '\\': '\\' };

function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  const bare = inner ?? value.replace(/\s+#.*$/, '');
  return bare.replaceAll(/\\([ntbrs\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
