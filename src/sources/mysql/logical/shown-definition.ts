/** What servers show of a table, made to say what the table is: where they cannot write a text, they show another. Pure. */
import { isUtf8 } from 'node:buffer';
import { literal } from '../sql.ts';
import { closingQuote } from './statement.ts';

const BACKQUOTE = 0x60;
const QUOTE = 0x27;
/** What comes before bytes that may be no text: a default, or their character set. */
const BEFORE_BYTES = / DEFAULT $|(_[a-z0-9]+)$/;

/** Bytes of defaults and of other character sets, which servers show as they are, as hexadecimal digits: they are no SQL. */
export function withBytesAsDigits(shown: Buffer): string {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < shown.length; at++) {
    const byte = shown[at];
    if (byte !== QUOTE && byte !== BACKQUOTE) continue;
    const close = closingQuote(shown, at);
    if (close < 0) break;
    const text = shown.subarray(at + 1, close);
    const before = BEFORE_BYTES.exec(shown.toString('latin1', Math.max(0, at - 40), at));
    if (byte === QUOTE && before !== null && !isUtf8(text)) {
      const digits = `${before[1] === undefined ? '' : ' '}0x${unescaped(text).toString('hex').toUpperCase()}`;
      pieces.push(shown.subarray(from, at), Buffer.from(digits));
      from = close + 1;
    }
    at = close;
  }
  return Buffer.concat([...pieces, shown.subarray(from)]).toString('utf8');
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ "''": "'", "\\'": "'", '\\\\': '\\', '\\0': '\0', '\\n': '\n', '\\r': '\r', '\\Z': '\x1a' },
};

function unescaped(text: Buffer): Buffer {
  const bytes = text.toString('latin1').replaceAll(/''|\\[0nrZ'\\]/g, (escape) => ESCAPES[escape] ?? escape);
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
