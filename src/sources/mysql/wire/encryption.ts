/** How the way to a server is encrypted. */
import { readFile } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { MysqlAddress } from '../address.ts';

export interface Encryption {
  /** The server's certificate has to be right, and to be this name's. */
  readonly verified: boolean;
  readonly host: string;
  /** PEM. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * As the address says it, but that `prefer` takes nothing less: else programs know what to do. Undefined: nothing is encrypted.
 * @throws an error of the file system
 */
export async function encryptionFor(address: MysqlAddress): Promise<Encryption | undefined> {
  const { sslMode, sslCa, sslCert, sslKey, host } = address;
  if (sslMode === 'disable') return undefined;
  return {
    verified: sslMode === 'verify',
    host,
    ...(sslCa !== undefined && { ca: await readFile(sslCa) }),
    ...(sslCert !== undefined && { cert: await readFile(sslCert) }),
    ...(sslKey !== undefined && { key: await readFile(sslKey) }),
  };
}

/** A socket on which the server is about to say hello in TLS. Rejects where it is not who it has to be. */
export async function encrypted(socket: Socket, encryption: Encryption): Promise<TLSSocket> {
  const { connect } = await import('node:tls');
  const { host, verified, ca, cert, key } = encryption;
  const name = isIP(host) === 0 ? { servername: host } : {};
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return new Promise((resolve, reject) => {
    const secured = connect({ socket, host, ...name, rejectUnauthorized: verified, ...files });
    secured.once('secureConnect', () => {
      secured.off('error', reject);
      resolve(secured);
    });
    secured.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}
