/** Names and values in SQL. Sessions and dumps that hold them have no ANSI_QUOTES and no NO_BACKSLASH_ESCAPES. */

export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export function list(texts: readonly string[]): string {
  return texts.map(literal).join(', ');
}

/** Under which a definition is sent again: what it was made under, if its bytes, which are UTF-8, mean the same there. */
export function clientCharset(charset: string): string {
  return /^utf8(?:mb[34])?$/.test(charset) ? charset : 'utf8mb4';
}
