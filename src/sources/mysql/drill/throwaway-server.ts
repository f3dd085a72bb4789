import { existsSync } from 'node:fs';
import { lchown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { Runtime } from '../../../runtimes/runtime.ts';
import { confine, type Confinement } from '../../confinement.ts';
import { requireSocketPath } from '../../server/drill-socket.ts';
import { lastWords } from '../../server/last-words.ts';
import type { DrillRequest, SourceIo } from '../../source.ts';
import { parseTarget } from '../address.ts';
import { productName, type Product, type Version } from '../product.ts';
import { Session } from '../session.ts';
import { Toolbox } from '../toolbox.ts';
import { findServer, type ServerProgram } from './programs.ts';
import { refutation } from './refutation.ts';

const SOCKET = 's.sock';
const POLL_MS = 50;
const LOG_LINES = 8;
const LONGEST_ANSWER = 2000;

/** Harmless and quick: no network, no events, no replication, and nothing waits for the disk. */
const HARMLESS = [
  ...['--skip-networking', '--event-scheduler=OFF', '--skip-slave-start', '--local-infile=0'],
  ...['--skip-name-resolve', '--innodb-flush-log-at-trx-commit=0', '--max-allowed-packet=1G'],
];

/**
 * A server that nobody else knows: its files and socket lie in a folder that only its user may enter, it listens on no
 * network, and where the system allows it sees none.
 */
export class ThrowAwayServer {
  readonly #home: string;
  readonly #program: ServerProgram;
  readonly #confinement: Confinement;
  readonly #runtime: Runtime;
  /** Ends the server. */
  readonly #end = new AbortController();
  /** Resolves when it has ended, for whatever reason. */
  #ended: Promise<void> = Promise.resolve();
  #isUp = false;
  /** What it said when it ended. */
  #complaint = '';

  private constructor(home: string, program: ServerProgram, confinement: Confinement, runtime: Runtime) {
    this.#home = home;
    this.#program = program;
    this.#confinement = confinement;
    this.#runtime = runtime;
  }

  /** Finds the programs and makes the folder. @throws RespaldoError `tool-missing`, `usage` for too long a path. */
  static async prepare(
    product: Product,
    { folder, user }: Pick<DrillRequest, 'folder' | 'user'>,
    { runtime, signal }: Pick<SourceIo, 'runtime' | 'signal'>,
  ): Promise<ThrowAwayServer> {
    const home = join(folder, 'my');
    requireSocketPath(join(home, SOCKET), folder);
    const program = await findServer(product, runtime, signal);
    const confinement = await confine(user, runtime, signal);
    await mkdir(home, { mode: 0o700 });
    if (confinement.user !== undefined) await lchown(home, confinement.user.uid, confinement.user.gid);
    return new ThrowAwayServer(home, program, confinement, runtime);
  }

  /** For people. */
  get name(): string {
    const { product, numbers } = this.#program.version;
    const where = this.#runtime.kind === 'host' ? this.#program.path : this.#runtime.place;
    return `${productName(product)} ${numbers.join('.')} (${where})`;
  }

  get address(): string {
    return `mysql://root@/?socket=${encodeURIComponent(this.#socket)}`;
  }

  /** The superuser of a new server has no password: that of our environment is another's. */
  async tools(signal: AbortSignal): Promise<Toolbox> {
    return Toolbox.open(parseTarget(this.address, true).server, '', this.#runtime, signal);
  }

  /** Its data directory. */
  get data(): string {
    return join(this.#home, 'data');
  }

  get version(): Version {
    return this.#program.version;
  }

  /** How its programs are run, and as whom. */
  get confinement(): Confinement {
    return this.#confinement;
  }

  /** New and empty. Returns when it answers. @throws RespaldoError `not-proven` with what its log says. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#initialize(signal);
    await this.#launch([], signal);
  }

  /**
   * On files that are there: whoever reaches its socket may do everything, since they bring accounts of their own.
   * @param options that it needs to understand the files
   */
  async startOn(options: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#launch([...options, '--skip-grant-tables'], signal);
  }

  async #launch(more: readonly string[], signal: AbortSignal): Promise<void> {
    const files = [`--socket=${this.#socket}`, `--pid-file=${join(this.#home, 'pid')}`, `--log-error=${this.#log}`];
    const argv = [
      this.#program.path,
      '--no-defaults',
      ...this.#data,
      ...files,
      ...HARMLESS,
      ...this.#productOptions,
      ...more,
    ];
    this.#isUp = true;
    this.#ended = this.#run(argv, AbortSignal.any([signal, this.#end.signal]))
      .catch((error: unknown) => {
        this.#complaint = error instanceof Error ? error.message : String(error);
      })
      .then(() => {
        this.#isUp = false;
      });
    while (!(await this.#answers(signal))) {
      throwIfAborted(signal);
      if (this.#hasEnded()) throw refutation(`the server does not start:\n${await this.lastWords()}`, undefined);
      await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Ends it, whatever it is doing; never throws. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#ended;
  }

  /** The end of its log, or what it said without one. */
  async lastWords(): Promise<string> {
    const logged = await lastWords(this.#log, LOG_LINES);
    return logged === '' ? this.#complaint : logged;
  }

  async #initialize(signal: AbortSignal): Promise<void> {
    const { path, version } = this.#program;
    const argv =
      version.product === 'mysql'
        ? [path, '--no-defaults', '--initialize-insecure', ...this.#data, ...this.#productOptions]
        : ['mariadb-install-db', '--no-defaults', ...this.#data, ...NEW_MARIADB];
    try {
      await this.#run(argv, signal);
    } catch (error) {
      if (!isError(error, 'tool-missing')) throw error;
      await this.#run(['mysql_install_db', ...argv.slice(1)], signal);
    }
  }

  #hasEnded(): boolean {
    return !this.#isUp;
  }

  async #answers(signal: AbortSignal): Promise<boolean> {
    if (!existsSync(this.#socket)) return false;
    try {
      await Session.with(await this.tools(signal), (session) => session.execute('SELECT 1'));
      return true;
    } catch (error) {
      throwIfAborted(signal);
      if (isError(error, 'source-lost')) return false;
      throw error;
    }
  }

  async #run(argv: readonly string[], signal: AbortSignal): Promise<void> {
    const [program = '', ...args] = argv;
    const command = this.#confinement.command([program, ...args]);
    const env = { LC_ALL: 'C', TZ: 'UTC' };
    let said = '';
    try {
      for await (const piece of this.#runtime.run({ ...command, cwd: this.#home, env }, signal))
        said = `${said}${Buffer.from(piece).toString('utf8')}`.slice(-LONGEST_ANSWER);
    } catch (error) {
      if (!isError(error, 'command-failed')) throw error;
      // Its complaints go to the standard output.
      throw new RespaldoError('target-refused', `${error.message}\n${said.trimEnd()}`, {
        hint: 'The server cannot be set up on this machine: its words say why.',
        cause: error,
      });
    }
  }

  get #data(): readonly string[] {
    return [`--datadir=${this.data}`, `--tmpdir=${this.#home}`];
  }

  get #productOptions(): readonly string[] {
    return this.#program.version.product === 'mysql' ? NEW_MYSQL : [];
  }

  get #socket(): string {
    return join(this.#home, SOCKET);
  }

  get #log(): string {
    // MySQL adds this to names without an extension.
    return join(this.#home, 'log.err');
  }
}

/** Packages build in a folder for files of SQL that may not be there. */
const NEW_MYSQL = ['--disable-log-bin', '--mysqlx=OFF', '--secure-file-priv=NULL'];
const NEW_MARIADB = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve', '--force'];
