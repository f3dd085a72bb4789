import { readFile } from 'node:fs/promises';
import { RespaldoError } from '../errors.ts';

/** The patterns of `--exclude-file`: see {@link parseExcludeFile}. */
export async function readExcludeFiles(files: readonly string[]): Promise<readonly string[]> {
  const patterns: string[] = [];
  for (const file of files) {
    try {
      patterns.push(...parseExcludeFile(await readFile(file, 'utf8'), process.env));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RespaldoError('usage', `cannot read --exclude-file ${file}: ${reason}`, { cause: error });
    }
  }
  return patterns;
}

/** One pattern a line, as restic reads them: `#` begins a comment, `$NAME` is a variable, `$$` a dollar sign. */
export function parseExcludeFile(text: string, env: Readonly<Record<string, string | undefined>>): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.replace(/\$(?:\$|\{([^}]*)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
        const name = braced ?? bare;
        return name === undefined ? '$' : (env[name] ?? '');
      }),
    );
}
