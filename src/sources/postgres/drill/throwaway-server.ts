import { chmod, lchown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { Runtime } from '../../../runtimes/runtime.ts';
import { confine, type Confinement } from '../../confinement.ts';
import { requireSocketPath } from '../../server/drill-socket.ts';
import { lastWords } from '../../server/last-words.ts';
import type { DrillRequest, SourceIo } from '../../source.ts';
import { parseTarget } from '../address.ts';
import { connect, type PostgresConnection } from '../connection.ts';
import { ACCESS, drillConfiguration } from './configuration.ts';
import { refutation, refuting } from './refutation.ts';
import { copyPrograms, findPrograms, type ServerPrograms } from './programs.ts';

const PORT = 5432;
const SOCKET = `.s.PGSQL.${String(PORT)}`;
/** A recovery takes as long as it takes: whoever waits may cancel it. */
const PATIENCE_SECONDS = 604_800;
/** How long ending it may take when all else was cancelled. */
const END_MS = 60_000;
const LOG_LINES = 8;

/** What a database, or a role, of the original may have set for its sessions, and a drill's do without. */
const SESSION = [
  ...['session_preload_libraries=', 'local_preload_libraries=', 'default_transaction_read_only=off'],
  ...['statement_timeout=0', 'lock_timeout=0', 'idle_in_transaction_session_timeout=0'],
];

/**
 * A PostgreSQL server that nobody else knows: its files and socket lie in a folder that only its user may enter, it
 * listens on no network, and where the system allows it sees none.
 */
export class ThrowAwayServer {
  readonly data: string;
  readonly programs: ServerPrograms;
  readonly confinement: Confinement;
  /** The superuser. */
  user = 'postgres';
  /** Of the socket, and the programs' working folder. */
  readonly #home: string;
  readonly #bin: string;
  readonly #runtime: Runtime;

  private constructor(home: string, bin: string, programs: ServerPrograms, confinement: Confinement, runtime: Runtime) {
    this.data = join(home, 'data');
    this.programs = programs;
    this.confinement = confinement;
    this.#home = home;
    this.#bin = bin;
    this.#runtime = runtime;
  }

  /**
   * Finds the programs and makes the folders; there are no data yet.
   * @throws RespaldoError `tool-missing`, `usage` for a folder with too long a path.
   */
  static async prepare(
    major: number,
    { folder, user }: Pick<DrillRequest, 'folder' | 'user'>,
    { runtime, signal }: Pick<SourceIo, 'runtime' | 'signal'>,
  ): Promise<ThrowAwayServer> {
    const home = join(folder, 'pg');
    requireSocketPath(join(home, SOCKET), folder);
    const programs = await findPrograms(major, runtime, signal);
    const confinement = await confine(user, runtime, signal);
    await mkdir(home, { mode: 0o700 });
    const mustCopy = programs.embedded && confinement.user !== undefined;
    const bin = mustCopy ? await copyPrograms(programs, join(home, 'programs')) : programs.folder;
    const server = new ThrowAwayServer(home, bin, programs, confinement, runtime);
    await server.giveAway(home);
    return server;
  }

  /** For people. */
  get name(): string {
    const { version, folder, embedded } = this.programs;
    const where = this.#runtime.kind !== 'host' ? this.#runtime.place : folder === '' ? 'found by PATH' : folder;
    return `PostgreSQL ${version} (${embedded ? 'comes with Respaldo' : where})`;
  }

  /** For libpq and for ourselves. */
  address(database = ''): string {
    const [user, name, host] = [this.user, database, this.#home].map(encodeURIComponent);
    return `postgresql://${String(user)}@/${String(name)}?host=${String(host)}&port=${String(PORT)}`;
  }

  /** New and empty, with the superuser `postgres`. */
  async initialize(signal: AbortSignal): Promise<void> {
    const how = ['--username=postgres', '--encoding=UTF8', '--no-locale', '--auth=trust'];
    await this.#run(['initdb', '-D', this.data, ...how], signal);
  }

  /** Makes data that lie there its own, and itself harmless: see {@link drillConfiguration}. */
  async configure(): Promise<void> {
    const files = ['postgresql.conf', 'postgresql.auto.conf'].map((name) => join(this.data, name));
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
    const text = drillConfiguration({
      major: this.programs.major,
      socketFolder: this.#home,
      original: texts.join('\n'),
    });
    const written = { 'postgresql.conf': text, 'postgresql.auto.conf': '', 'pg_hba.conf': ACCESS, 'pg_ident.conf': '' };
    for (const [name, content] of Object.entries(written)) {
      await rm(join(this.data, name), { recursive: true, force: true });
      await writeFile(join(this.data, name), content, { mode: 0o600, flag: 'wx' });
    }
    await chmod(this.data, 0o700);
    await this.giveAway(this.#home);
  }

  /** Returns when it has recovered and answers. @throws RespaldoError `not-proven` with what its log says. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#start(signal);
    if (await refuting(this, signal, () => this.#letsIn(signal))) return;
    await this.stop('fast');
    this.user = await this.#superuser(signal);
    await this.#start(signal);
  }

  async #start(signal: AbortSignal): Promise<void> {
    const wait = ['-w', '-t', String(PATIENCE_SECONDS), '-l', this.#log];
    try {
      await this.#run(['pg_ctl', '-D', this.data, ...wait, 'start'], signal);
    } catch (error) {
      if (!isError(error, 'command-failed')) throw error;
      throw refutation(`the restored server does not start:\n${await this.lastWords()}`, error);
    }
  }

  /** Whether the superuser has the name that it usually has. */
  async #letsIn(signal: AbortSignal): Promise<boolean> {
    try {
      await using stack = new AsyncDisposableStack();
      const connection = await this.connect('template1', signal);
      stack.defer(() => connection.close());
      const [row] = await connection.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
      return row?.['rolsuper'] === true;
    } catch (error) {
      if (isError(error, 'source-refused') && error.context['sqlstate'] === '28000') return false;
      throw error;
    }
  }

  /** The name of the superuser that every cluster has, asked without logging in: the server must not run. */
  async #superuser(signal: AbortSignal): Promise<string> {
    const question = Readable.from([Buffer.from('SELECT rolname FROM pg_authid WHERE oid = 10\n')]);
    const said = await this.#run(['postgres', '--single', '-D', this.data, 'template1'], signal, question);
    const [, name] = /\brolname = "(.*)"\t/.exec(said) ?? [];
    if (name !== undefined) return name;
    throw new RespaldoError('not-proven', 'the restored server does not tell who its superuser is', {
      hint: 'Please report this.',
    });
  }

  /** Ends it, whatever it is doing; never throws: who removes the folder ends what is left. */
  async stop(mode: 'fast' | 'immediate' = 'immediate'): Promise<void> {
    const signal = AbortSignal.timeout(END_MS);
    await this.#run(['pg_ctl', '-D', this.data, '-w', '-m', mode, 'stop'], signal).catch(() => undefined);
  }

  /** A session that what was restored cannot configure. */
  connect(database: string, signal: AbortSignal): Promise<PostgresConnection> {
    throwIfAborted(signal);
    const options = SESSION.map((setting) => `-c ${setting}`).join(' ');
    return connect(parseTarget(this.address()).server, undefined, { database, options }, signal);
  }

  /** The end of its log. */
  lastWords(): Promise<string> {
    return lastWords(this.#log, LOG_LINES);
  }

  /** Runs one of its programs to its end. @returns what it printed */
  async #run(
    argv: readonly [string, ...string[]],
    signal: AbortSignal,
    stdin?: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const [program, ...args] = argv;
    const command = this.confinement.command([join(this.#bin, program), ...args]);
    const env = { LC_ALL: 'C', TZ: 'UTC' };
    const pieces = await Array.fromAsync(
      this.#runtime.run({ ...command, cwd: this.#home, env, ...(stdin && { stdin }) }, signal),
    );
    return Buffer.concat(pieces).toString('utf8');
  }

  get #log(): string {
    return join(this.#home, 'log');
  }

  /** To its user, with all that lies below; links are not followed. */
  async giveAway(path: string): Promise<void> {
    const { user } = this.confinement;
    if (user === undefined) return;
    await lchown(path, user.uid, user.gid);
    for (const entry of await readdir(path, { withFileTypes: true, recursive: true }))
      await lchown(join(entry.parentPath, entry.name), user.uid, user.gid);
  }
}
