import type { Client, ClientErrorExtensions, ConnectConfig, SFTPWrapper } from 'ssh2';

import { abortError, throwIfAborted } from '../../errors.ts';

/** What ssh2 calls when an answer has come. */
type Done<T> = (error?: Error | null, value?: T) => void;

/** Extensions of OpenSSH's that make writes safer, by the name under which a server offers them. */
export type Extension = 'fsync@openssh.com' | 'posix-rename@openssh.com' | 'statvfs@openssh.com';

/** An SFTP session. ssh2 leaves requests without an answer when the line breaks; here each of them fails. */
export class SftpConnection {
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #pending = new Set<(error: Error) => void>();
  #lost: Error | undefined;
  /** Whether folders can be opened and synced; servers differ. */
  syncsFolders = true;

  private constructor(client: Client, sftp: SFTPWrapper) {
    this.#client = client;
    this.#sftp = sftp;
  }

  /** @throws what ssh2 gives. */
  static async open(config: ConnectConfig, signal: AbortSignal): Promise<SftpConnection> {
    const { default: ssh2 } = await import('ssh2');
    throwIfAborted(signal);
    const client = new ssh2.Client();
    let connection: SftpConnection | undefined;
    let fail: (error: Error) => void = () => undefined;
    const broken = (error: Error) => {
      if (connection === undefined) fail(error);
      else connection.#lose(error);
    };
    client.on('error', (error: Error & ClientErrorExtensions) => {
      // An agent that does not answer is one way in less, no more.
      if (error.level !== 'agent') broken(error);
    });
    client.on('close', () => {
      broken(new Error('the connection was closed'));
    });
    const quit = () => {
      broken(abortError(signal));
    };
    signal.addEventListener('abort', quit, { once: true });
    try {
      connection = await new Promise<SftpConnection>((resolve, reject) => {
        fail = reject;
        client.on('ready', () => {
          // Each request is small and waited for.
          client.setNoDelay(true);
          client.sftp((error, sftp) => {
            if (error !== undefined) reject(error);
            else resolve(new SftpConnection(client, sftp));
          });
        });
        client.connect(config);
      });
      connection.#watch();
      return connection;
    } catch (error) {
      client.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', quit);
    }
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  offers(extension: Extension): boolean {
    const { _extensions: offered } = this.#sftp as unknown as { _extensions: Readonly<Record<string, unknown>> };
    return offered[extension] !== undefined;
  }

  /** One request and its answer. Giving up waits for no answer; the server may still do what it was asked. */
  ask<T>(signal: AbortSignal, request: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      throwIfAborted(signal);
      if (this.#lost !== undefined) throw this.#lost;
      const settle = () => {
        this.#pending.delete(fail);
        signal.removeEventListener('abort', quit);
      };
      const fail = (error: Error) => {
        settle();
        reject(error);
      };
      const quit = () => {
        fail(abortError(signal));
      };
      this.#pending.add(fail);
      signal.addEventListener('abort', quit, { once: true });
      request(this.#sftp, (error, value) => {
        if (error) {
          fail(error);
          return;
        }
        settle();
        resolve(value as T);
      });
    });
  }

  /** Ends the session, and with it what is still being asked, and waits until the line is down. */
  async end(): Promise<void> {
    if (this.#lost !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#client.once('close', resolve));
    this.#lose(new Error('the connection was closed'));
    await closed;
  }

  /** The session may end although the connection goes on. */
  #watch(): void {
    this.#sftp.on('error', (error: Error) => {
      this.#lose(error);
    });
    this.#sftp.on('close', () => {
      this.#lose(new Error('the server ended the SFTP session'));
    });
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#client.destroy();
    for (const fail of [...this.#pending]) fail(error);
  }
}
