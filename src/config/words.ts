import { RespaldoError } from '../errors.ts';

/**
 * Splits a command line into program and arguments as a POSIX shell does, but expands nothing: quotes group, a
 * backslash takes the next character as it is (between double quotes only before `"` and `\`).
 *
 * @param origin names where the text comes from, for messages; the text itself may hold a secret and is not shown.
 * @throws RespaldoError `usage` for an open quote or no word at all.
 */
export function splitWords(text: string, origin: string): [string, ...string[]] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (quote !== undefined && char === quote) {
      quote = undefined;
    } else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (char === '\\' && next !== '' && escapes(quote, next)) {
      word = (word ?? '') + next;
      at++;
    } else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) throw unusable(origin, `a quote (${quote}) is not closed`);
  if (word !== undefined) words.push(word);
  const [program, ...args] = words;
  if (program === undefined || program === '') throw unusable(origin, 'there is no program in it');
  return [program, ...args];
}

function escapes(quote: string | undefined, next: string): boolean {
  return quote === undefined || (quote === '"' && (next === '"' || next === '\\'));
}

function unusable(origin: string, reason: string): RespaldoError {
  return new RespaldoError('usage', `${origin}: the command cannot be split into words: ${reason}`, {
    hint: `Write the program and its arguments, quoted where they hold spaces: 'pass show "my backup"'.`,
  });
}
