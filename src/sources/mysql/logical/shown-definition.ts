/** What servers show of a table, made to say what the table is: where they cannot write a text, they show another. Pure. */
import { isUtf8 } from 'node:buffer';
import { literal } from '../sql.ts';
import { closingQuote } from './statement.ts';

const BACKQUOTE = 0x60;
const QUOTE = 0x27;
const DEFAULT = Buffer.from(' DEFAULT ');

/** Defaults that are no text, which MariaDB shows as the bytes that they are, as hexadecimal digits: such bytes are no SQL. */
export function withBytesAsDigits(shown: Buffer): string {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < shown.length; at++) {
    const byte = shown[at];
    if (byte !== QUOTE && byte !== BACKQUOTE) continue;
    const close = closingQuote(shown, at);
    if (close < 0) break;
    const text = shown.subarray(at + 1, close);
    if (byte === QUOTE && !isUtf8(text) && shown.subarray(0, at).subarray(-DEFAULT.length).equals(DEFAULT)) {
      pieces.push(shown.subarray(from, at), Buffer.from(`0x${unescaped(text).toString('hex').toUpperCase()}`));
      from = close + 1;
    }
    at = close;
  }
  return Buffer.concat([...pieces, shown.subarray(from)]).toString('utf8');
}

const ESCAPES: Readonly<Record<string, string>> = { "''": "'", '\\0': '\0', '\\n': '\n', '\\r': '\r', '\\\\': '\\' };

function unescaped(text: Buffer): Buffer {
  const bytes = text.toString('latin1').replaceAll(/''|\\[0nr\\]/g, (escape) => ESCAPES[escape] ?? escape);
  return Buffer.from(bytes, 'latin1');
}

const LABEL = /'(?:[^'\\]|''|\\.)*'/gs;

/** Whether a value of an ENUM or SET can be told by its text: not if there is an empty label beside "none", or a wrong one. */
export function isToldByText(type: string): boolean {
  return ![...type.matchAll(LABEL)].some(([label]) => label === "''" || label.includes('?'));
}

/**
 * Servers keep labels in three bytes a letter when they show them: what has four becomes a question mark.
 * @param column in quotes
 * @param labels by their number, from 1 on
 */
export function withLabels(create: string, column: string, labels: ReadonlyMap<number, string>): string {
  const begin = create.indexOf(`\n  ${column} enum(`);
  if (begin < 0) return create;
  const list = begin + `\n  ${column} enum`.length;
  const shown = /^\((?:'(?:[^'\\]|''|\\.)*',?)*\)/s.exec(create.slice(list))?.[0] ?? '';
  let number = 0;
  const meant = shown.replaceAll(LABEL, (label) => {
    const real = labels.get(++number);
    return real !== undefined && label.includes('?') ? literal(real) : label;
  });
  return create.slice(0, list) + meant + create.slice(list + shown.length);
}
