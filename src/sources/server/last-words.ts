import { readFile } from 'node:fs/promises';

/** The end of a server's log: so many lines. Empty where there is no log. */
export async function lastWords(log: string, lines: number): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
