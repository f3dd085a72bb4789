import { SftpConnection } from './connection.ts';
import { describeSftp, type SftpAddress } from './address.ts';
import { loginFailure } from './errors.ts';
import { prepareLogin } from './login.ts';

/** Being logged in to a server: one connection, made when it is first needed and anew when it was lost. */
export class SftpSession {
  readonly #address: SftpAddress;
  readonly #workingDirectory: string;
  #connection: Promise<SftpConnection> | undefined;
  #open = new AbortController();

  /** @param workingDirectory where relative paths to keys start from: an absolute path. */
  constructor(address: SftpAddress, workingDirectory: string) {
    this.#address = address;
    this.#workingDirectory = workingDirectory;
  }

  /**
   * The connection. Who comes while it is being made waits for the same one.
   * @throws RespaldoError `store-refused` and `store-broken` if nobody can log in
   */
  async connection(): Promise<SftpConnection> {
    const current = (this.#connection ??= this.#login());
    try {
      const connection = await current;
      if (!connection.lost) return connection;
    } catch (error) {
      if (this.#connection === current) this.#connection = undefined;
      throw error;
    }
    if (this.#connection === current) this.#connection = undefined;
    return this.connection();
  }

  /** Also of a connection that is only being made. Whoever asks for one again logs in again. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#open.abort();
    this.#open = new AbortController();
    await (await connection?.catch(() => undefined))?.end();
  }

  async #login(): Promise<SftpConnection> {
    const { signal } = this.#open;
    const login = await prepareLogin(this.#address, this.#workingDirectory);
    try {
      return await SftpConnection.open(login.config, signal);
    } catch (error) {
      throw loginFailure(describeSftp(this.#address), login, error);
    }
  }
}
