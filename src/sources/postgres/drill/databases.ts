import type { PostgresConnection } from '../connection.ts';
import type { ThrowAwayServer } from './throwaway-server.ts';

const ALL = 'SELECT datname AS name FROM pg_database WHERE datallowconn ORDER BY datname';

/** Those that can be connected to, templates too. */
export async function databasesOf(server: ThrowAwayServer, signal: AbortSignal): Promise<readonly string[]> {
  return inDatabase(server, 'template1', signal, async (connection) =>
    (await connection.query(ALL)).map(({ name }) => String(name)),
  );
}

/** Does something in a session of its own. */
export async function inDatabase<T>(
  server: ThrowAwayServer,
  database: string,
  signal: AbortSignal,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const connection = await server.connect(database, signal);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
