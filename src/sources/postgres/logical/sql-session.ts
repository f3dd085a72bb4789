export type Row = Readonly<Record<string, unknown>>;

/** One connection to a database that is asked in SQL, whoever holds it. */
export interface SqlSession {
  /** Statements whose output nobody needs. */
  execute(sql: string): Promise<void>;
  /** Rows of one SELECT, as JSON has them. */
  query(sql: string): Promise<readonly Row[]>;
  /** Says goodbye, and throws unless the session was there until now. */
  close(): Promise<void>;
  /** Ends it wherever it is; never throws. */
  abandon(): Promise<void>;
}

/** Ends the session with the work, which has failed if the session has. */
export async function during<Session extends SqlSession, T>(
  session: Session,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    const result = await work(session);
    await session.close();
    return result;
  } finally {
    await session.abandon();
  }
}

/** Each row as one value. */
export function asJson(sql: string): string {
  return `SELECT row_to_json(answer) AS answer FROM (${sql}) AS answer`;
}
