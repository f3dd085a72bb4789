import { connect, type NetConnectOpts } from 'node:net';

/** How long somebody may think about it. Milliseconds. */
const PATIENCE_MS = 2000;

/** What a client says who wants TLS: length 8, and the number that stands for it. Nothing is logged of it. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Whether a server of PostgreSQL listens there: asked for TLS, it says yes or no by one letter. Nobody logs in. */
export function answers(where: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(where);
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(PATIENCE_MS, () => end(false));
    socket.once('connect', () => socket.write(SSL_REQUEST));
    socket.once('data', (said: Buffer) => end(said.length === 1 && /^[SN]$/.test(said.toString('latin1'))));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
