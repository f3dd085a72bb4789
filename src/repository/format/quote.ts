/**
 * Go's two ways to write a string, which decide the bytes of restic's trees: `strconv.Quote` for names, so that any
 * bytes survive, and `encoding/json` around it. Strings are in the form of `domain/name.ts`.
 */
import { decodeName, encodeName } from '../../domain/name.ts';
import { isPrintable } from './printable.ts';

/** What neither way of writing changes: most names, decided at once. */
const plain = /^[ !#-%'-;=?-[\]-~]*$/;

const letters = { '\x07': 'a', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '"': '"', '\\': '\\' };
const letterOf = new Map(Object.entries(letters));
const charOf = new Map(Object.entries(letters).map(([char, letter]) => [letter, char]));

/** Whether a name is written as it is. */
export function isPlain(name: string): boolean {
  return plain.test(name);
}

/** What `strconv.Quote` writes between the quotation marks. */
export function goQuote(name: string): string {
  if (plain.test(name)) return name;
  let quoted = '';
  for (const char of name) quoted += quoteChar(char);
  return quoted;
}

function quoteChar(char: string): string {
  const letter = letterOf.get(char);
  if (letter !== undefined) return `\\${letter}`;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`;
  if (isPrintable(code)) return char;
  if (isSurrogate(code)) return '\ufffd';
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const needsUnquoting = /[\\"\n]/;
const sequences = /\\(?:x[\da-fA-F]{2}|[0-7]{3}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)?|["\n]/gs;

/** The name that {@link goQuote} wrote, or any escape that `strconv.Unquote` takes. @throws RangeError for others. */
export function goUnquote(quoted: string): string {
  if (!needsUnquoting.test(quoted)) return quoted;
  const name = quoted.replace(sequences, unquoteSequence);
  // Escaped bytes can be the pieces of a character.
  return name.isWellFormed() ? name : decodeName(encodeName(name));
}

function unquoteSequence(sequence: string): string {
  const kind = sequence.charAt(1);
  const char = sequence.length === 2 ? charOf.get(kind) : undefined;
  if (char !== undefined) return char;
  const isByte = kind !== 'u' && kind !== 'U';
  const code = kind >= '0' && kind <= '7' ? parseInt(sequence.slice(1), 8) : parseInt(sequence.slice(2), 16);
  const isValid = sequence.length > 2 && (isByte ? code <= 0xff : code <= 0x10ffff && !isSurrogate(code));
  if (!isValid) throw new RangeError(`not an escape sequence: ${JSON.stringify(sequence)}`);
  return isByte && code >= 0x80 ? String.fromCharCode(0xdc00 + code) : String.fromCodePoint(code);
}

const afterStringify = /[<>&\u2028\u2029]/g;
const loneSurrogate = /\p{Surrogate}/u;

/** The JSON string that `encoding/json` writes, with its quotation marks: safe within HTML, lossy for stray bytes. */
export function goJsonString(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  return `"${text.split(loneSurrogate).map(jsonBody).join('\\ufffd')}"`;
}

function jsonBody(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(afterStringify, (char) => `\\u${hex(char.charCodeAt(0), 4)}`);
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
