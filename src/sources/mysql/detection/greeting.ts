import { connect } from 'node:net';

/** How long somebody may think about it. Milliseconds. */
const PATIENCE_MS = 2000;
const PROTOCOL = 10;

/**
 * The version that a server says at once to whoever comes to its socket; undefined: nobody answers, or somebody else. Nobody
 * logs in. Only sockets are asked: over the network a server counts those who leave, and in the end shuts them out.
 */
export function greetingOf(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const end = (version?: string): void => {
      socket.destroy();
      resolve(version);
    };
    socket.setTimeout(PATIENCE_MS, () => end());
    socket.once('data', (said: Buffer) => end(versionIn(said)));
    socket.once('error', () => end());
    socket.once('close', () => end());
  });
}

/** A packet: three bytes of length, one of number, then the protocol's version, and the server's up to a zero. */
function versionIn(packet: Buffer): string | undefined {
  if (packet[4] !== PROTOCOL) return undefined;
  const end = packet.indexOf(0, 5);
  const version = packet.toString('latin1', 5, end < 0 ? packet.length : end);
  return /^\d+\.\d+/.test(version) ? version : undefined;
}
