import { decodeText, linesOf, readNamedFile } from './text-file.ts';

/** The patterns of the files that an option such as `--exclude-file` names: see {@link parsePatternFile}. */
export async function readPatternFiles(option: string, files: readonly string[]): Promise<readonly string[]> {
  const patterns: string[] = [];
  for (const file of files)
    patterns.push(...parsePatternFile(decodeText(await readNamedFile(option, file)), process.env));
  return patterns;
}

/** One pattern a line, as restic reads them: `#` begins a comment, `$NAME` is a variable, `$$` a dollar sign. */
export function parsePatternFile(text: string, env: Readonly<Record<string, string | undefined>>): string[] {
  return linesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.replace(/\$(?:\$|\{([^}]*)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
        const name = braced ?? bare;
        return name === undefined ? '$' : (env[name] ?? '');
      }),
    );
}
