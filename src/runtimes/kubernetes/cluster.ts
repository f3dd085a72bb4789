import type { Credentials } from './credentials.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a cluster's API is, and who we are there. */
export interface Cluster {
  readonly server: URL;
  /** PEM; absent: the authorities that Node trusts. */
  readonly ca?: string;
  /** Trust whoever answers. */
  readonly insecure: boolean;
  /** The name in the server's certificate, where it is another than in its address. */
  readonly serverName?: string;
  readonly namespace: string;
  readonly credentials: Credentials;
}
