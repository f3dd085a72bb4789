/** A session that reads tables, of a snapshot that several share. */
export interface TableReader {
  /**
   * What `COPY (select) TO STDOUT` sends. Must be read to its end before the next one.
   * @returns the number of rows.
   */
  copy(select: string): AsyncGenerator<Uint8Array, number>;
  /** Tells what `copy` will be asked for after what it is at: the server may begin with it at once. */
  announce(select: string): void;
  /** Nobody looks at this piece any more: the reader may use its bytes again. */
  recycle(piece: Uint8Array): void;
  /** Says goodbye, and throws unless all went well. */
  close(): Promise<void>;
  /** Ends it wherever it is; never throws. */
  abandon(): Promise<void>;
}
