/** How restored files are finished. */
export interface WriterOptions {
  readonly owners: boolean;
  /** Sync each finished file by itself, because the file system as a whole cannot be. */
  readonly syncEach: boolean;
  /** Leave holes where a file holds nothing but zeros. */
  readonly sparse: boolean;
}
