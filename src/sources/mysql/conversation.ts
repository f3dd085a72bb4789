/** Statements, one after the other, over one connection. A failure is told as what it means. */
export interface Conversation {
  /** Rows of a SELECT of expressions whose values are text, which may be any. */
  select(expressions: readonly string[], rest: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Rows of any statement; a value NULL is the word. */
  rows(sql: string): Promise<readonly (readonly Buffer[])[]>;
  /** Says goodbye. @throws RespaldoError where the connection had not worked as it should */
  close(): Promise<void>;
  /** Ends it wherever it is; never throws. */
  abandon(): Promise<void>;
}
