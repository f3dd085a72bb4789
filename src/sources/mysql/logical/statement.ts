/** Where statements end, as far as a dump writes them. Pure. */
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const BACKQUOTE = 0x60;
const SEMICOLON = 0x3b;
const SPACE = 0x20;
const QUOTES = [0x22, 0x27, BACKQUOTE];

/** After the line break that follows the `;` at a statement's end, outside of quotes; -1: not here. */
export function statementEnd(bytes: Buffer, from: number): number {
  const head = bytes.toString('latin1', from, from + 10);
  // A plain comment, and the line that only some clients understand, end without a semicolon.
  if (head.startsWith('/* ') || head.startsWith('/*M!999999')) return afterComment(bytes, from);
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== undefined && QUOTES.includes(byte)) {
      at = closingQuote(bytes, at);
      if (at < 0) return -1;
    } else if (byte === SEMICOLON && bytes[at + 1] === NEWLINE) return at + 2;
  }
  return -1;
}

/** Of the quoted text that begins at `open`, where it ends; -1: not here. What is doubled, or escaped, does not end it. */
export function closingQuote(bytes: Buffer, open: number): number {
  const quote = bytes[open];
  for (let at = open + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH && quote !== BACKQUOTE) at += 1;
    else if (bytes[at] === quote) {
      if (at + 1 === bytes.length) return -1;
      if (bytes[at + 1] !== quote) return at;
      at += 1;
    }
  }
  return -1;
}

/** `` `a``b` `` → ``a`b``. */
export function unquotedName(quoted: Buffer): string {
  return quoted.toString('utf8', 1, quoted.length - 1).replaceAll('``', '`');
}

/** A comment may hold others: it ends where a line does. */
function afterComment(bytes: Buffer, from: number): number {
  for (let close = bytes.indexOf('*/', from); close >= 0; close = bytes.indexOf('*/', close + 2)) {
    let at = close + 2;
    while (bytes[at] === SPACE) at += 1;
    if (bytes[at] === NEWLINE) return at + 1;
  }
  return -1;
}
