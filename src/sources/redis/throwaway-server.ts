import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isError, RespaldoError, throwIfAborted } from '../../errors.ts';
import type { Command, Runtime } from '../../runtimes/runtime.ts';
import { requireSocketPath } from '../server/drill-socket.ts';
import { lastWords } from '../server/last-words.ts';
import type { DrillRequest, SourceIo } from '../source.ts';
import { Connection } from './connection.ts';
import { FILE } from './facts.ts';

const POLL_MS = 30;
const LOG_LINES = 12;

/** What a log says where it is the machine, or the program, that cannot, and not the RDB. */
const LACKS: readonly {
  readonly words: RegExp;
  readonly error: 'tool-missing' | 'target-refused';
  readonly hint: string;
}[] = [
  {
    words: /Can't handle RDB format version|Unknown RDB encoding|invalid object type/i,
    error: 'tool-missing',
    hint: 'The redis-server here is older than the one that was backed up: install that one, or drill in its image: --image redis:7',
  },
  {
    words: /module/i,
    error: 'target-refused',
    hint: 'The keys are of a module that is not here: drill in an image that has it: --image redis/redis-stack-server',
  },
  {
    words: /memory/i,
    error: 'target-refused',
    hint: 'This machine has no memory to spare: try again later, or elsewhere.',
  },
];

/** Who a drill's programs are run as; a container runs everything as that user already. */
export function runAs({ user }: Pick<DrillRequest, 'user'>, { kind }: Runtime): Pick<Command, 'user'> {
  return kind !== 'host' || user.uid === process.getuid?.() ? {} : { user };
}

/** A redis-server that has loaded the RDB, listens on a socket in the drill's folder, and writes nothing. */
export class ThrowAwayServer implements AsyncDisposable {
  readonly #end = new AbortController();
  readonly #socket: string;
  readonly #log: string;
  readonly #signal: AbortSignal;
  #ended: { readonly error: unknown } | undefined;
  #done: Promise<void> = Promise.resolve();

  private constructor(folder: string, signal: AbortSignal) {
    this.#socket = join(folder, 'redis.sock');
    this.#log = join(folder, 'redis.log');
    this.#signal = signal;
    requireSocketPath(this.#socket, folder);
  }

  /**
   * @param data the folder of the RDB, which is given to the server's user
   * @throws RespaldoError `usage` for a folder with too long a path, `not-proven` with what its log says, `tool-missing`, `target-refused`, `cancelled`
   */
  static async start(
    data: string,
    { user, folder }: DrillRequest,
    { runtime, signal }: SourceIo,
  ): Promise<ThrowAwayServer> {
    const server = new ThrowAwayServer(data, signal);
    if (user.uid !== process.getuid?.())
      for (const path of [data, join(data, FILE)]) await chown(path, user.uid, user.gid);
    const argv = ['redis-server', ...server.#settings(data)] as const;
    const run = async (): Promise<void> => {
      const ends = AbortSignal.any([signal, server.#end.signal]);
      for await (const _piece of runtime.run({ argv, cwd: folder, ...runAs({ user }, runtime) }, ends)) continue;
    };
    server.#done = run().then(
      () => void (server.#ended = { error: undefined }),
      (error: unknown) => void (server.#ended = { error }),
    );
    try {
      await server.#loaded();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Its text about a section. */
  async info(section: string): Promise<string> {
    await using connection = await this.#connect();
    return await connection.ask('INFO', section);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  #settings(data: string): readonly string[] {
    const quiet = ['--port', '0', '--save', '', '--appendonly', 'no', '--daemonize', 'no', '--supervised', 'no'];
    const files = ['--dir', data, '--dbfilename', FILE, '--logfile', this.#log];
    return [...quiet, ...files, '--unixsocket', this.#socket, '--unixsocketperm', '700'];
  }

  /** Waits until it answers, as long as it runs. */
  async #loaded(): Promise<void> {
    for (;;) {
      throwIfAborted(this.#signal);
      if (this.#ended !== undefined) throw await this.#refutation(this.#ended.error);
      try {
        await using connection = await this.#connect();
        await connection.ask('PING');
        return;
      } catch (error) {
        throwIfAborted(this.#signal);
        if (!isError(error, 'source-missing') && !isError(error, 'source-lost')) throw error;
      }
      await wait(POLL_MS);
    }
  }

  #connect(): Promise<Connection> {
    const address = { host: '', port: 0, tls: false, socket: this.#socket };
    return Connection.open(address, undefined, this.#signal);
  }

  async #refutation(error: unknown): Promise<unknown> {
    if (isError(error, 'tool-missing'))
      return new RespaldoError('tool-missing', 'there is no redis-server to prove the snapshot with', {
        hint: 'Install it (Debian: redis-server), or drill in a container: --image redis:7',
        cause: error,
      });
    const words = await lastWords(this.#log, LOG_LINES);
    const message = `the server does not start on the RDB:\n${words}`;
    const lack = LACKS.find((one) => one.words.test(words));
    if (lack !== undefined) return new RespaldoError(lack.error, message, { hint: lack.hint, cause: error });
    return new RespaldoError('not-proven', message, {
      hint: 'Prove another snapshot, take a new one, and run `respaldo check --read-data`.',
      cause: error,
    });
  }
}
