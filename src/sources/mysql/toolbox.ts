import { isError, RespaldoError, throwIfAborted } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { serverName, type MysqlAddress } from './address.ts';
import { connectionArguments } from './connection-arguments.ts';
import { loginTo, type Login } from './login.ts';
import { programVersion, type Product, type Version } from './product.ts';
import { explainTool } from './tool-refusal.ts';
import type { Connector } from './wire/connection.ts';

/** What the programs are called: by MariaDB, and by MySQL and older MariaDBs. */
const NAMES = {
  client: ['mariadb', 'mysql'],
  dump: ['mariadb-dump', 'mysqldump'],
  binlog: ['mariadb-binlog', 'mysqlbinlog'],
} as const;
export type Role = keyof typeof NAMES;

interface Program {
  readonly name: string;
  readonly version: Version;
  /** As it names itself. */
  readonly said: string;
}

export interface ToolCall {
  readonly role: Role;
  /** After those that say where the server is. */
  readonly args: readonly string[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Has the program started by another one. */
  readonly wrap?: (argv: readonly string[]) => readonly [string, ...string[]];
  /** It reads what it is given, and talks to no server. */
  readonly offline?: true;
}

/** MariaDB's or MySQL's own programs, whichever are where the source's tools run, logged in to one server. */
export class Toolbox {
  /** For messages. */
  readonly server: string;
  readonly signal: AbortSignal;
  readonly address: MysqlAddress;
  readonly runtime: Runtime;
  readonly login: Login;
  readonly #programs = new Map<Role, Program>();
  /** What each says of itself, by its name; undefined: it is not there. */
  readonly #said = new Map<string, Promise<string | undefined>>();
  /** The server's. */
  #product: Product | undefined;
  #direct: Connector | undefined;

  private constructor(address: MysqlAddress, login: Login, runtime: Runtime, signal: AbortSignal) {
    this.address = address;
    this.runtime = runtime;
    this.signal = signal;
    this.login = login;
    this.server = runtime.kind === 'host' ? serverName(address) : `MySQL in ${runtime.place}`;
  }

  /** @param given the password, where somebody gave one. @throws RespaldoError `tool-missing`. */
  static async open(
    address: MysqlAddress,
    given: string | undefined,
    runtime: Runtime,
    signal: AbortSignal,
  ): Promise<Toolbox> {
    const tools = new Toolbox(address, await loginTo(address, given, runtime, signal), runtime, signal);
    await tools.program('client');
    return tools;
  }

  /** Once it is known what the server is: from now on its own programs are run, where they are there. */
  fit(product: Product): void {
    if (this.#product === product) return;
    this.#product = product;
    this.#programs.clear();
  }

  /** A way to the same server without its programs; undefined: none is known. */
  get direct(): Connector | undefined {
    return this.#direct;
  }

  /** From now on sessions need no program. */
  reachDirectly(connector: Connector): void {
    this.#direct = connector;
  }

  /** The first of the server's own product, or else the first that is there. @throws RespaldoError `tool-missing`. */
  async program(role: Role): Promise<Program> {
    const known = this.#programs.get(role);
    if (known !== undefined) return known;
    let found: Program | undefined;
    for (const name of NAMES[role]) {
      const said = await this.#versionOf(name);
      const version = said === undefined ? undefined : (programVersion(said) ?? (await this.#versionBeside(role)));
      if (said === undefined || version === undefined) continue;
      const isOwn = this.#product === undefined || version.product === this.#product;
      if (found === undefined || isOwn) found = { name, version, said };
      if (isOwn) break;
    }
    if (found !== undefined) {
      this.#programs.set(role, found);
      return found;
    }
    throw new RespaldoError('tool-missing', `there is no ${NAMES[role].join(' or ')} on ${this.runtime.place}`, {
      hint: 'Install the client programs of MariaDB or MySQL there (Debian: mariadb-client).',
    });
  }

  async text(call: ToolCall): Promise<string> {
    return Buffer.concat(await Array.fromAsync(this.run(call))).toString('utf8');
  }

  /** See {@link Runtime.run}; what the program said of the server is told as what it means. */
  async *run({ role, args, stdin, wrap, offline }: ToolCall): AsyncGenerator<Uint8Array> {
    const { name, version } = await this.program(role);
    const { user, env } = this.login;
    const where = offline === true ? ['--no-defaults'] : connectionArguments(this.address, user, version);
    const argv = [name, ...where, ...args] as const;
    try {
      yield* this.runtime.run({ argv: wrap?.(argv) ?? argv, env, ...(stdin && { stdin }) }, this.signal);
    } catch (error) {
      throwIfAborted(this.signal);
      throw explainTool(error, this.server);
    }
  }

  /** Programs that read logs number themselves in a way of their own, and come with the client. */
  async #versionBeside(role: Role): Promise<Version | undefined> {
    return role === 'binlog' ? (await this.program('client')).version : undefined;
  }

  #versionOf(name: string): Promise<string | undefined> {
    const said = this.#said.get(name) ?? this.#askVersion(name);
    this.#said.set(name, said);
    return said;
  }

  async #askVersion(name: string): Promise<string | undefined> {
    try {
      const pieces = await Array.fromAsync(this.runtime.run({ argv: [name, '--version'] }, this.signal));
      return Buffer.concat(pieces).toString('utf8').trim();
    } catch (error) {
      if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
      this.#said.delete(name);
      throw error;
    }
  }
}
