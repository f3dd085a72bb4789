import { randomInt } from 'node:crypto';
import { createServer, type ListenOptions, type Server } from 'node:net';

/**
 * Below those that systems give to whoever asks for any, or connects to others: between its choice and its use, nobody
 * gets one of these by chance.
 */
const FIRST = 10_000;
const LAST = 32_000;

/**
 * A port of 127.0.0.1 that nobody listens on. Until this process ends no other one is given it, and it is given to
 * nobody else in this one: who starts a server there may take his time, end it, and start another.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    // Its abstract name is gone with the process that has it, however that ends.
    const claim = await listening({ path: `\0respaldo-port-${String(port)}` });
    if (claim === undefined) continue;
    claim.unref();
    const there = await listening({ host: '127.0.0.1', port });
    if (there !== undefined) return new Promise((resolve) => there.close(() => resolve(port)));
    claim.close();
  }
}

/** Undefined where somebody else listens there. */
function listening(options: ListenOptions): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(options, () => resolve(server));
  });
}
