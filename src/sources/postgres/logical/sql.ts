/** SQL's own quoting. Pure. */

export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** PUBLIC is the role ''. */
export function grantee(role: string): string {
  return role === '' ? 'PUBLIC' : identifier(role);
}
