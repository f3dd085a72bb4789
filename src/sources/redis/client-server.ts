import { isError, RespaldoError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { serverName, type RedisAddress } from './address.ts';
import { parseInfo, type ServerInfo } from './info.ts';
import { refusal } from './refusal.ts';
import type { RedisServer } from './server.ts';

/** Reached by `redis-cli` where the server runs: in a container or a pod. */
export class ClientServer implements RedisServer {
  readonly name: string;
  /** The client cannot take the mark back from what it has written to its standard output. */
  readonly leavesMark = true;
  readonly #address: RedisAddress;
  readonly #password: string | undefined;
  readonly #runtime: Runtime;
  readonly #signal: AbortSignal;

  constructor(address: RedisAddress, password: string | undefined, runtime: Runtime, signal: AbortSignal) {
    this.name = `${serverName(address)} in ${runtime.place}`;
    this.#address = address;
    this.#password = password;
    this.#runtime = runtime;
    this.#signal = signal;
  }

  async info(): Promise<ServerInfo> {
    const text = Buffer.concat(await Array.fromAsync(this.#run(['INFO']))).toString('utf8');
    const info = parseInfo(text);
    if (info === undefined) throw refusal(text.trim().replace(/^\(error\) /, ''), this.name);
    return info;
  }

  async *rdb(): AsyncGenerator<Uint8Array> {
    yield* this.#run(['--rdb', '-']);
  }

  async *#run(args: readonly string[]): AsyncGenerator<Uint8Array> {
    const argv = ['redis-cli', ...loginArguments(this.#address), ...args] as const;
    const env = this.#password === undefined ? {} : { REDISCLI_AUTH: this.#password };
    try {
      yield* this.#runtime.run({ argv, env }, this.#signal);
    } catch (error) {
      throw isError(error, 'command-failed') ? explained(error, this.name) : error;
    }
  }
}

/** The password is in the environment. */
function loginArguments({ host, port, socket, user, tls, caFile, certFile, keyFile }: RedisAddress): string[] {
  return [
    ...(socket === undefined ? ['-h', host, '-p', String(port)] : ['-s', socket]),
    ...(user === undefined ? [] : ['--user', user]),
    ...(tls ? ['--tls'] : []),
    ...(caFile === undefined ? [] : ['--cacert', caFile]),
    ...(certFile === undefined ? [] : ['--cert', certFile]),
    ...(keyFile === undefined ? [] : ['--key', keyFile]),
  ];
}

/** What the server has said to the client, told as if it had said it to us. */
function explained(error: RespaldoError, server: string): RespaldoError {
  const [, said] = /-((?:NO[A-Z]+|WRONGPASS|LOADING|DENIED|MASTERDOWN|ERR) [^\n]*)/.exec(error.message) ?? [];
  if (said !== undefined) return refusal(said, server);
  if (!/Could not connect/.test(error.message)) return error;
  return new RespaldoError('source-missing', `cannot connect to ${server}: ${error.message}`, {
    hint: 'Check the port, and that the server runs: redis://localhost:6379 is where it usually is in its container.',
    cause: error,
  });
}
