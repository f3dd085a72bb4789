/**
 * Text from outside (file names, server messages) made harmless for a terminal: nothing in it can move the cursor,
 * change colours, reverse the reading order or pretend to be a line of its own.
 */

/** Controls of C0 and C1, DEL, invisible and direction-changing characters, line separators, lone surrogates. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/**
 * A name or path for people: as it is where it is plain text, else in double quotes with `\n`, `\x1b`, `\u202e` …
 * for what cannot be printed. Bytes that are not UTF-8 show as `\xNN`.
 */
export function quoted(name: string): string {
  if (!name.startsWith('"') && name.search(UNPRINTABLE) === -1) return name;
  return `"${escaped(name.replace(/[\\"]/g, '\\$&'))}"`;
}

/** A message for people: line breaks stay, but every further line is indented, so that none can pose as one of ours. */
export function harmless(message: string): string {
  return message
    .split('\n')
    .map((line) => escaped(line.replace(/\r$/, '')))
    .join('\n  ');
}

/** Unprintable characters as backslash escapes. */
function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    // The string form of a byte that is not UTF-8: see domain/name.ts.
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`;
    return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
