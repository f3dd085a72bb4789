export interface DumpedTable {
  readonly kind: 'table' | 'sequence';
  readonly name: string;
}

/** The tables of several databases as SQL, of one state of all of them: one database and one table after the other. */
export interface TableSource {
  /** The database that comes next; undefined: all have been read. */
  database(): Promise<string | undefined>;
  /** The next table of the database; undefined: there are no more. Whoever leaves out a table's bytes skips them. */
  table(): Promise<DumpedTable | undefined>;
  /** Of the table that was asked for last. */
  bytes(): AsyncIterable<Uint8Array>;
  /** Ends whoever still reads; never throws. */
  close(): Promise<void>;
}
