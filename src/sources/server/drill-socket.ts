import { RespaldoError } from '../../errors.ts';

/** What the path of a socket may have, in bytes. */
const LONGEST = 107;

/** @param folder of the drill, below which the socket lies. @throws RespaldoError `usage` for too long a path */
export function requireSocketPath(socket: string, folder: string): void {
  if (Buffer.byteLength(socket) > LONGEST)
    throw new RespaldoError('usage', `${folder} is too long a path for the socket of a server`, {
      hint: 'Name a folder with a shorter one: --folder /var/tmp',
    });
}
