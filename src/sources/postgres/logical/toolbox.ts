import { existsSync } from 'node:fs';
import { RespaldoError, isError, throwIfAborted } from '../../../errors.ts';
import type { Command, Runtime } from '../../../runtimes/runtime.ts';
import { serverName, type PostgresAddress } from '../address.ts';
import { DirectLogin } from './direct-login.ts';
import { loginTo, type Login } from './login.ts';
import { explainTool } from './tool-refusal.ts';

export type Program = 'psql' | 'pg_dump' | 'pg_dumpall' | 'pg_restore';

/** The newest major version whose folder is looked for. */
const NEWEST = 20;
const OLDEST = 12;

export interface ToolCall {
  readonly program: Program;
  readonly args: readonly string[];
  readonly database?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** Where a server's programs run, and how they log in. */
interface Place {
  readonly runtime: Runtime;
  readonly login: Login;
  readonly server: string;
  readonly direct: DirectLogin | undefined;
}

/** PostgreSQL's own programs, run where the source's tools run, logged in to one server. */
export class Toolbox {
  /** For messages. */
  readonly server: string;
  readonly signal: AbortSignal;
  /** Where this process reaches the server as the programs do. */
  readonly direct: DirectLogin | undefined;
  readonly #place: Place;
  /** Ends in a slash, or is empty: then PATH finds them. */
  readonly #folder: string;

  private constructor(place: Place, folder: string, signal: AbortSignal) {
    this.#place = place;
    this.#folder = folder;
    this.server = place.server;
    this.direct = place.direct;
    this.signal = signal;
  }

  /**
   * Whichever psql there is: it speaks with servers of any version.
   * @param given the password, where somebody gave one.
   * @throws RespaldoError `tool-missing`.
   */
  static async open(
    address: PostgresAddress,
    given: string | undefined,
    runtime: Runtime,
    signal: AbortSignal,
  ): Promise<Toolbox> {
    const login = await loginTo(address, given, runtime, signal);
    const isHere = runtime.kind === 'host';
    const place = {
      runtime,
      login,
      server: isHere ? serverName(address) : `PostgreSQL in ${runtime.place}`,
      direct: isHere ? new DirectLogin(address, login.env['PGPASSWORD']) : undefined,
    };
    for (const folder of foldersOn(runtime, NEWEST, OLDEST)) {
      const tools = new Toolbox(place, folder, signal);
      if (await tools.#has('psql')) return tools;
    }
    throw new RespaldoError(
      'tool-missing',
      `there is no psql ${runtime.kind === 'host' ? 'on' : 'in'} ${runtime.place}`,
      {
        hint: `${runtime.kind === 'host' ? '' : 'If PostgreSQL is elsewhere, `respaldo detect` shows where. Otherwise: '}Install PostgreSQL’s client programs there (Debian: postgresql-client), of the server’s version or newer.`,
      },
    );
  }

  /** The same programs, whose runs end with that signal, too. */
  until(signal: AbortSignal): Toolbox {
    const either = AbortSignal.any([this.signal, signal]);
    return new Toolbox(this.#place, this.#folder, either);
  }

  /** Begins to ask what is going to be asked of programs in the same place, if they are of the version that is wanted. */
  askAhead(): void {
    this.version('pg_dump').catch(() => undefined);
  }

  /**
   * The programs of the server's own version, or the next newer ones: older ones do not know all that it holds.
   * @param major of the server
   * @throws RespaldoError `tool-missing`.
   */
  async ofVersion(major: number): Promise<Toolbox> {
    const seen: number[] = [];
    for (const folder of foldersOn(this.#place.runtime, NEWEST, major, 'oldest first')) {
      const tools = this.#in(folder);
      const found = await tools.majorOf('pg_dump');
      if (found === major) return tools;
      if (found !== undefined) seen.push(found);
    }
    for (const folder of foldersOn(this.#place.runtime, NEWEST, major + 1, 'oldest first'))
      if (((await this.#in(folder).majorOf('pg_dump')) ?? 0) > major) return this.#in(folder);
    const there = seen.length === 0 ? 'there is none' : `the newest is of version ${String(Math.max(...seen))}`;
    throw new RespaldoError(
      'tool-missing',
      `${this.server} is version ${String(major)} and wants a pg_dump of that version or newer: on ${this.#place.runtime.place} ${there}`,
      { hint: `Install it there (Debian: postgresql-client-${String(major)}).` },
    );
  }

  /** Undefined: there is no such program. */
  async majorOf(program: Program): Promise<number | undefined> {
    try {
      return Number(/\) (\d+)/.exec(await this.version(program))?.[1]);
    } catch (error) {
      // PATH may lead to a wrapper of programs that are not installed.
      if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
      throw error;
    }
  }

  /** As the program names itself: `pg_dump (PostgreSQL) 15.8`. */
  async version(program: Program): Promise<string> {
    return (await this.told(program, '--version')).trim();
  }

  /** What the program says of itself; asked once of each, as long as the runtime is used. */
  told(program: Program, option: '--version' | '--help'): Promise<string> {
    const told = toldOn(this.#place.runtime);
    const question = `${this.#folder}${program} ${option}`;
    const known = told.get(question);
    if (known !== undefined) return known;
    const answer = this.text({ program, args: [option] });
    told.set(question, answer);
    // What fails may go well another time.
    answer.catch(() => told.delete(question));
    return answer;
  }

  async text(call: ToolCall): Promise<string> {
    const pieces = await Array.fromAsync(this.run(call));
    return Buffer.concat(pieces).toString('utf8');
  }

  /** See {@link Runtime.run}; what the program said of the server is told as what it means. */
  async *run({ program, args, database, stdin }: ToolCall): AsyncGenerator<Uint8Array> {
    const { env, ...as } = this.#place.login;
    const command: Command = {
      argv: [`${this.#folder}${program}`, ...args],
      ...as,
      env: database === undefined ? env : { ...env, PGDATABASE: database },
      ...(stdin && { stdin }),
    };
    try {
      yield* this.#place.runtime.run(command, this.signal);
    } catch (error) {
      throwIfAborted(this.signal);
      throw explainTool(error, this.server, database);
    }
  }

  /** On this host, what lies in the folder of a package is the program itself. */
  async #has(program: Program): Promise<boolean> {
    if (this.#place.runtime.kind === 'host' && this.#folder !== '') return existsSync(`${this.#folder}${program}`);
    return (await this.majorOf(program)) !== undefined;
  }

  #in(folder: string): Toolbox {
    return new Toolbox(this.#place, folder, this.signal);
  }
}

/** What programs have said of themselves, by command line: they stay what they are while a runtime is used. */
const TOLD = new WeakMap<Runtime, Map<string, Promise<string>>>();

function toldOn(runtime: Runtime): Map<string, Promise<string>> {
  const told = TOLD.get(runtime) ?? new Map<string, Promise<string>>();
  TOLD.set(runtime, told);
  return told;
}

/**
 * Where to look for programs: in PATH (''), and where packages put them. On this host the latter come first, as far as
 * they are there: what Debian has in PATH starts Perl before it starts the program.
 */
function foldersOn(runtime: Runtime, newest: number, oldest: number, order?: 'oldest first'): readonly string[] {
  const folders = installedFolders(newest, oldest);
  const ordered = order === undefined ? folders : folders.toReversed();
  return runtime.kind === 'host' ? [...ordered.filter((folder) => existsSync(folder)), ''] : ['', ...ordered];
}

/** Where packages put the programs of several versions side by side, the newest first. */
function installedFolders(newest: number, oldest: number): string[] {
  const majors = Array.from({ length: Math.max(0, newest - oldest + 1) }, (_, i) => String(newest - i));
  return majors.flatMap((major) => [`/usr/lib/postgresql/${major}/bin/`, `/usr/pgsql-${major}/bin/`]);
}
