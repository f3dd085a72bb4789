/** Pieces of SQL, and its own quoting. Pure. */

export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Of others who are connected to the database `d`. Of other roles' sessions the kind may not be seen. */
export const SESSIONS_OF_OTHERS = `FROM pg_stat_activity AS a
  WHERE a.datid = d.oid AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.pid <> pg_backend_pid()`;

/** PUBLIC is the role ''. */
export function grantee(role: string): string {
  return role === '' ? 'PUBLIC' : identifier(role);
}
