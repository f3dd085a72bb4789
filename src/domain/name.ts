/**
 * File names as strings that lose nothing.
 *
 * A POSIX name is bytes, not text. Valid UTF-8 decodes to an ordinary string; each byte that is not part of valid
 * UTF-8 becomes the lone surrogate U+DC00 + byte (U+DC80 … U+DCFF), so that every name has exactly one string and
 * every such string exactly one name. (The convention is PEP 383's "surrogateescape".)
 */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The string of a name's bytes. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeByPieces(bytes);
  }
}

/** The bytes of a name's string: the inverse of {@link decodeName}. */
export function encodeName(name: string): Uint8Array {
  if (isText(name)) return encoder.encode(name);
  const out: number[] = [];
  for (const char of name) {
    const code = char.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else out.push(...encoder.encode(char));
  }
  return Uint8Array.from(out);
}

/** Whether the name is valid UTF-8, so that the string itself can be given to `node:fs`. */
export function isText(name: string): boolean {
  return name.isWellFormed();
}

/** Order of names by their bytes, as restic sorts trees; UTF-16 order differs above U+D7FF. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const left = encodeName(a);
  const right = encodeName(b);
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function decodeByPieces(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence that starts at `at`, or 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length =
    first < 0x80
      ? 1
      : first >= 0xc2 && first < 0xe0
        ? 2
        : first >= 0xe0 && first < 0xf0
          ? 3
          : first >= 0xf0 && first < 0xf5
            ? 4
            : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
