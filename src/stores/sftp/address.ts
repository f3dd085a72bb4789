import type { RespaldoError } from '../../errors.ts';
import { AddressRefusal } from '../address-refusal.ts';

/** Where a repository lies on a server that speaks SFTP. */
export interface SftpAddress {
  /** Absent: the user's own name. */
  readonly user?: string;
  readonly host: string;
  readonly port: number;
  /** As the server knows it; a relative one starts from the user's home there. Never ends in a slash. */
  readonly folder: string;
  /** A file with a private key, instead of those in `~/.ssh`. */
  readonly identity?: string;
  /** A file of known host keys, instead of the usual ones. */
  readonly knownHosts?: string;
}

const FORMS =
  'It is written sftp:user@host:/srv/backups, or with a port sftp://user@host:2222//srv/backups. One slash before the folder, or none: it starts from the home of the user there.';
const refusal = new AddressRefusal('SFTP', FORMS);
const OPTIONS = ['identity', 'known-hosts'];

/**
 * An address in one of restic's two forms.
 * @param rest what follows `sftp:`.
 * @throws RespaldoError `usage`, without what may be a password.
 */
export function parseSftpAddress(rest: string): SftpAddress {
  return rest.startsWith('//') ? fromUrl(rest) : fromScpForm(rest);
}

/** The address in restic's words, for messages. */
export function describeSftp({ user, host, port, folder }: SftpAddress): string {
  const who = user === undefined ? '' : `${user}@`;
  const where = host.includes(':') ? `[${host}]` : host;
  return port === 22 ? `sftp:${who}${where}:${folder}` : `sftp://${who}${where}:${port}/${folder}`;
}

/** `user@host:folder` */
function fromScpForm(rest: string): SftpAddress {
  const [, user, bracketed, plain, folder = ''] = /^(?:(.*)@)?(?:\[([^\]]+)\]|([^@:]*)):(.*)$/s.exec(rest) ?? [];
  const host = bracketed ?? plain ?? '';
  if (user?.includes(':')) throw withPassword();
  return { ...(user && { user }), host: soundHost(host), port: 22, folder: soundFolder(folder) };
}

/** `//user@host:port/folder?identity=file` */
function fromUrl(rest: string): SftpAddress {
  const url = URL.parse(`ssh:${rest}`);
  if (url === null) throw refusal.wrong('this is no address of a server');
  if (url.password !== '') throw withPassword();
  const options = optionsOf(url.searchParams);
  return {
    ...(url.username !== '' && { user: refusal.decoded(url.username) }),
    host: soundHost(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: url.port === '' ? 22 : Number(url.port),
    folder: soundFolder(refusal.decoded(url.pathname).replace(/^\//, '')),
    ...options,
  };
}

function optionsOf(given: URLSearchParams): { identity?: string; knownHosts?: string } {
  for (const name of given.keys()) {
    if (!OPTIONS.includes(name))
      throw refusal.wrong(`an address has no option "${name}", only ${OPTIONS.join(' and ')}`);
  }
  const [identity, knownHosts] = [given.get('identity'), given.get('known-hosts')];
  return { ...(identity && { identity }), ...(knownHosts && { knownHosts }) };
}

/** A name that starts with a dash would be an option to programs that people paste it to. */
function soundHost(host: string): string {
  if (host === '' || /^-|[\s/]/.test(host)) throw refusal.wrong('it names no server');
  return host;
}

function soundFolder(folder: string): string {
  if (folder.startsWith('~')) throw refusal.wrong('a folder on a server cannot start with "~"');
  const trimmed = folder.replace(/\/+$/, '');
  if (folder === '') throw refusal.wrong('it names no folder');
  return trimmed === '' ? '/' : trimmed;
}

function withPassword(): RespaldoError {
  return refusal.holding(
    'a password',
    'Write sftp:user@host:/srv/backups, and log in with a key (ssh-keygen, ssh-copy-id) or an ssh-agent.',
  );
}
