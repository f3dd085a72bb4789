import type { IncomingMessage } from 'node:http';

import { RespaldoError } from '../../errors.ts';
import { trustedCertificates } from '../certificates.ts';
import { describeWebDav, type WebDavAddress } from './address.ts';
import { DavClient, type DavLogin, type DavRequest } from './client.ts';

/** Being known to a server: its certificates and the login are looked for when the first request is sent. */
export class DavSession {
  readonly #address: WebDavAddress;
  readonly #workingDirectory: string;
  readonly #password: string | undefined;
  #client: Promise<DavClient> | undefined;

  /**
   * @param workingDirectory where a relative path to certificates starts from: an absolute path.
   * @param password absent: that of the environment.
   */
  constructor(address: WebDavAddress, workingDirectory: string, password: string | undefined) {
    this.#address = address;
    this.#workingDirectory = workingDirectory;
    this.#password = password;
  }

  /** See {@link DavClient.ask}. @throws RespaldoError `store-refused` too, where there is no password to log in with. */
  async ask(request: DavRequest, wanted: readonly number[], signal: AbortSignal): Promise<IncomingMessage> {
    const client = await (this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    }));
    return client.ask(request, wanted, signal);
  }

  /** A path of the server, as a whole URL. */
  url(path: string): string {
    const { secure, host } = this.#address;
    return `${secure ? 'https' : 'http'}://${host}${path}`;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    (await client?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<DavClient> {
    const { secure, host, caFile } = this.#address;
    const login = this.#login();
    const authorities = secure ? await trustedCertificates(caFile, this.#workingDirectory) : [];
    return new DavClient({ secure, host, authorities, ...(login && { login }) });
  }

  #login(): DavLogin | undefined {
    const { user } = this.#address;
    if (user === undefined) return undefined;
    const password = this.#password ?? process.env.RESPALDO_WEBDAV_PASSWORD;
    if (password) return { user, password };
    throw new RespaldoError('store-refused', `there is no password for ${describeWebDav(this.#address)}`, {
      hint: 'Set RESPALDO_WEBDAV_PASSWORD, or name it under credentials: { password: … } in respaldo.yaml.',
    });
  }
}
