import type { ContainerImage } from './container-image.ts';

/** How a snapshot came about, as a database's snapshot tells it in its own facts. Holds no secrets. */
export interface SnapshotOrigin {
  /** Why it has its type: `the last one is 8 days old`. */
  readonly reason: string;
  /** Where it was taken. */
  readonly hostname: string;
  readonly plan?: string;
  /** Given by a person. */
  readonly name?: string;
  /** That took it: `respaldo 0.1.0`. */
  readonly program?: string;
  /** Of the container that the source's tools ran in. */
  readonly image?: ContainerImage;
}
