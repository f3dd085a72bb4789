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
