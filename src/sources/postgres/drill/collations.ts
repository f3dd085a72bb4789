import type { Finding } from '../../../domain/finding.ts';
import type { PostgresConnection } from '../connection.ts';

/** Of the whole database, and of those that indexes are sorted by; with the version that this machine has. */
const CHANGED = `SELECT name, was, now FROM (
    SELECT 'the database' AS name, datcollversion AS was, pg_database_collation_actual_version(oid) AS now
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT DISTINCT c.collname, c.collversion, pg_collation_actual_version(c.oid)
    FROM pg_index AS i, unnest(i.indcollation) AS o JOIN pg_collation AS c ON c.oid = o WHERE c.collversion IS NOT NULL
  ) AS versions WHERE was <> now ORDER BY name`;

/**
 * Text that was sorted by another version of a collation may be in another order here: an index that is sound there may
 * look unsound.
 */
export async function changedCollations(
  connection: PostgresConnection,
  database: string,
): Promise<Finding | undefined> {
  const rows = await connection.query(CHANGED);
  if (rows.length === 0) return undefined;
  const told = rows.map(({ name, was, now }) => `${String(name)}: ${String(was)}, here ${String(now)}`).join('; ');
  return {
    severity: 'note',
    code: 'collation-changed',
    prominent: true,
    subject: database,
    message: `text in "${database}" was sorted by another version of a collation (${told}): after a restore here, REINDEX what is sorted by it`,
  };
}
