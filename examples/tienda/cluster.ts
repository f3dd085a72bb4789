import { execFile } from 'node:child_process';
import { appendFile, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Binaries } from './binaries.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

const ACCESS = `local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
`;

export interface ClusterOptions {
  /** Listens on 127.0.0.1 too, where passwords are asked for. Default: only on the socket. */
  readonly tcp?: boolean;
  /** Lines for `postgresql.conf`. */
  readonly settings?: readonly string[];
  /** More flags for `initdb`. Default: `-k`, data checksums. */
  readonly initdb?: readonly string[];
  /** The whole of `pg_hba.conf`. Default: everybody over the socket, who has a password over TCP. */
  readonly access?: string;
}

/** A private PostgreSQL server: its data, socket and log lie in a temporary folder that nobody else can enter. */
export class Cluster {
  readonly folder: string;
  readonly data: string;
  readonly port: number;
  readonly #binaries: Binaries;

  private constructor(binaries: Binaries, folder: string, data: string, port: number) {
    this.#binaries = binaries;
    this.folder = folder;
    this.data = data;
    this.port = port;
  }

  /** A new, empty cluster with the superuser `postgres`; not yet started. */
  static async create(binaries: Binaries, options: ClusterOptions = {}): Promise<Cluster> {
    const folder = await privateFolder(binaries);
    const cluster = new Cluster(binaries, folder, join(folder, 'data'), await freePort());
    await cluster.#run('initdb', [
      ...['-D', cluster.data, '-U', 'postgres', '--encoding=UTF8', '--no-locale', '--auth=trust', '--no-sync'],
      ...(options.initdb ?? ['-k']),
    ]);
    const settings = [
      `port = ${String(cluster.port)}`,
      `unix_socket_directories = '${folder}'`,
      `listen_addresses = '${options.tcp === true ? '127.0.0.1' : ''}'`,
      ...(options.settings ?? []),
    ];
    await appendFile(join(cluster.data, 'postgresql.conf'), `${settings.join('\n')}\n`);
    await writeFile(join(cluster.data, 'pg_hba.conf'), options.access ?? ACCESS);
    return cluster;
  }

  /** A cluster on a data directory that exists already, reached through a socket of its own. Not yet started. */
  static async on(binaries: Binaries, data: string): Promise<Cluster> {
    return new Cluster(binaries, await privateFolder(binaries), data, await freePort());
  }

  /** For `respaldo backup`. */
  get address(): string {
    return `postgresql://postgres@/?host=${encodeURIComponent(this.folder)}&port=${String(this.port)}&method=physical`;
  }

  get log(): string {
    return join(this.folder, 'log');
  }

  /**
   * Returns once the server accepts connections.
   * @param flags more of them for `postgres`.
   */
  async start(flags: readonly string[] = []): Promise<void> {
    // It is thrown away: only a crash of the whole machine could tell that nothing waits for the disk.
    const options = ['-F', `-p ${String(this.port)}`, `-k ${this.folder}`, ...flags].join(' ');
    try {
      await this.#run('pg_ctl', ['-D', this.data, '-w', '-t', '120', '-l', this.log, '-o', options, 'start']);
    } catch (error) {
      throw new Error(`PostgreSQL did not start:\n${await readFile(this.log, 'utf8').catch(() => '')}`, {
        cause: error,
      });
    }
  }

  /** Returns once it has ended. `immediate` is what a crash leaves behind. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#run('pg_ctl', ['-D', this.data, '-w', '-m', mode, 'stop']);
  }

  async isRunning(): Promise<boolean> {
    return this.#run('pg_ctl', ['-D', this.data, 'status']).then(
      () => true,
      () => false,
    );
  }

  /** Rows of one statement. */
  async query(sql: string, values: readonly unknown[] = [], database = 'postgres'): Promise<Record<string, unknown>[]> {
    return this.session(
      async (client) => (await client.query<Record<string, unknown>>(sql, [...values])).rows,
      database,
    );
  }

  /** Several statements on one connection. */
  async session<T>(work: (client: pg.Client) => Promise<T>, database = 'postgres'): Promise<T> {
    const client = new pg.Client({ host: this.folder, port: this.port, user: 'postgres', database });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** Stops it if it runs, and removes everything, the data directory too. */
  async remove(): Promise<void> {
    if (await this.isRunning()) await this.stop('immediate');
    await rm(this.data, { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    await run(join(this.#binaries.folder, program), args, {
      ...this.#binaries.user,
      cwd: '/', // the working folder may be closed to the server's user
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
  }
}

async function privateFolder({ user }: Binaries): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-cluster-'));
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return folder;
}
