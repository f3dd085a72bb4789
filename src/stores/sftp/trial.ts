import type { Observation } from '../../domain/observation.ts';
import type { Extension, SftpConnection } from './connection.ts';
import { observeClock, observeSpace, type Times } from '../trial.ts';

interface Wish {
  readonly trait: string;
  readonly extension: Extension;
  readonly has: string;
  readonly lacks: string;
  readonly advice: string;
}

const WISHES: readonly Wish[] = [
  {
    trait: 'durability',
    extension: 'fsync@openssh.com',
    has: 'the server can be told to bring files to its disk',
    lacks: 'nobody can tell when a file is on the disk of the server',
    advice: 'A server that loses its power may lose the last minutes: run `respaldo check` then, or use OpenSSH there.',
  },
  {
    trait: 'replacing',
    extension: 'posix-rename@openssh.com',
    has: 'files are replaced at once',
    lacks: 'an old file is moved out of the way before a new one takes its place',
    advice: 'Only `config` is ever replaced, and seldom: nothing needs to be done.',
  },
];

/** What a server says it can do beyond the protocol, what its clock says, and what is left of its disk. */
export async function observeSftp(
  connection: SftpConnection,
  folder: string,
  times: Times,
  signal: AbortSignal,
): Promise<readonly Observation[]> {
  const wishes = WISHES.map(({ trait, extension, has, lacks, advice }): Observation => {
    if (connection.offers(extension)) return { trait, verdict: 'good', found: has };
    return { trait, verdict: 'note', found: lacks, advice };
  });
  return [...wishes, ...(await space(connection, folder, signal)), observeClock(times)];
}

async function space(connection: SftpConnection, folder: string, signal: AbortSignal): Promise<readonly Observation[]> {
  if (!connection.offers('statvfs@openssh.com')) return [];
  const { f_frsize, f_bavail, f_blocks } = await connection.ask<Record<'f_frsize' | 'f_bavail' | 'f_blocks', number>>(
    signal,
    (sftp, done) => {
      sftp.ext_openssh_statvfs(folder, done);
    },
  );
  return [observeSpace(f_frsize * f_bavail, f_frsize * f_blocks)];
}
