const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the JSON string that opens at `start` closes: its last quotation mark, or the end of the bytes. */
export function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}
